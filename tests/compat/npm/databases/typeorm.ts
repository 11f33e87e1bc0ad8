// typeorm: entities from decorators in TypeScript, relations, query builder, transactions over PostgreSQL
// needs: postgres
import "reflect-metadata";
import { Column, DataSource, Entity, ManyToOne, OneToMany, PrimaryGeneratedColumn } from "typeorm";

@Entity("npm_orm_owner")
class Owner {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
  @OneToMany(() => Pet, (pet) => pet.owner, { cascade: true }) pets!: Pet[];
}

@Entity("npm_orm_pet")
class Pet {
  @PrimaryGeneratedColumn() id!: number;
  @Column() name!: string;
  @Column({ nullable: true }) age!: number;
  @ManyToOne(() => Owner, (owner) => owner.pets) owner!: Owner;
}

export const handler = async () => {
  const source = new DataSource({
    type: "postgres",
    url: process.env.POSTGRES_URL,
    entities: [Owner, Pet],
    synchronize: true,
    dropSchema: false,
  });
  await source.initialize();
  await source.query("truncate npm_orm_owner, npm_orm_pet restart identity cascade");
  await source.manager.save(
    Object.assign(new Owner(), { name: "Ann", pets: [Object.assign(new Pet(), { name: "Rex", age: 3 })] }),
  );
  const found = await source.getRepository(Owner).find({ relations: { pets: true } });
  const built = await source.getRepository(Pet).createQueryBuilder("p").where("p.age > :age", { age: 1 }).getMany();
  const rolled = await source
    .transaction(async (it) => {
      await it.delete(Pet, {});
      throw new Error("no");
    })
    .catch((error: Error) => error.message);
  const columns = source
    .getMetadata(Pet)
    .columns.map(({ propertyName, type }) => [propertyName, typeof type === "function" ? type.name : type]);
  await source.destroy();
  return JSON.parse(JSON.stringify([found, built, rolled, columns]));
};
