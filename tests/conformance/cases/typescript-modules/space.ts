export namespace Space {
  export namespace Inner {
    export const value: string = "inner";
  }
}
