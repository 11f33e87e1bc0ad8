export interface MadeOptions {
  name: string;
}

export class Made {
  readonly name: string;

  constructor(options: MadeOptions) {
    this.name = options.name;
  }
}
