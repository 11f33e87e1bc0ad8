class Whole {
  readonly kind: string = "class";
}

namespace Whole {
  export const name2 = "namespace";
}

export = Whole;
