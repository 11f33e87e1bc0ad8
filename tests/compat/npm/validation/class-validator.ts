// class-validator, class-transformer: decorated classes in TypeScript
import "reflect-metadata";
import { Expose, Type, plainToInstance, instanceToPlain } from "class-transformer";
import { IsInt, Length, ValidateNested, validate } from "class-validator";

class Owner {
  @Length(2, 10) name!: string;
}

class Pet {
  @Expose({ name: "years" }) @IsInt() age!: number;
  @ValidateNested() @Type(() => Owner) owner!: Owner;
}

export const handler = async () => {
  const pet = plainToInstance(Pet, { years: 1.5, owner: { name: "x" } });
  const errors = await validate(pet);
  return [
    pet.owner.constructor.name,
    errors.map(({ property, constraints, children }) => [property, constraints ?? null, children?.length ?? 0]),
    instanceToPlain(pet),
  ];
};
