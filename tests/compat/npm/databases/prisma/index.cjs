// prisma, @prisma/client, @prisma/adapter-pg: a generated client over its driver adapter for PostgreSQL
// needs: postgres
const { execFileSync } = require("node:child_process");
const { existsSync } = require("node:fs");
const path = require("node:path");

// The client is generated where the function starts first, by the tool of the package. No schema is migrated, so that the
// engine for it, which would be downloaded, may be any program.
if (!existsSync(path.join(__dirname, "generated"))) {
  const tool = path.join(path.dirname(require.resolve("prisma/package.json")), "build/index.js");
  execFileSync(process.execPath, [tool, "generate", "--schema", path.join(__dirname, "schema.prisma")], {
    cwd: __dirname,
    stdio: "pipe",
    env: {
      ...process.env,
      PRISMA_SCHEMA_ENGINE_BINARY: "/bin/true",
      PRISMA_HIDE_UPDATE_MESSAGE: "1",
      CHECKPOINT_DISABLE: "1",
    },
  });
}
const { PrismaClient } = require("./generated");
const { PrismaPg } = require("@prisma/adapter-pg");

exports.handler = async () => {
  const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: process.env.POSTGRES_URL }) });
  await prisma.$executeRawUnsafe('drop table if exists "NpmPet"');
  await prisma.$executeRawUnsafe('create table "NpmPet" (id serial primary key, name text not null, age int)');
  await prisma.npmPet.createMany({
    data: [
      { name: "a", age: 1 },
      { name: "b", age: 2 },
    ],
  });
  const found = await prisma.npmPet.findMany({ where: { age: { gt: 1 } } });
  const sum = await prisma.npmPet.aggregate({ _sum: { age: true } });
  await prisma.$disconnect();
  return [found, sum];
};
