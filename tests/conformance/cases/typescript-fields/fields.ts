class Base {
  seen = "none";

  set value(_value: string) {
    this.seen = "setter";
  }
}

class Derived extends Base {
  unset: string;
  // @ts-ignore: an accessor of the base class
  value = "field";
}

export const look = (): unknown => {
  const derived = new Derived();
  return ["unset" in derived ? String(derived.unset) : "none", derived.seen === "setter" ? "setter" : derived.value];
};
