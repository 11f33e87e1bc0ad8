// memjs: values of memcached
// needs: memcached
const memjs = require("memjs");

exports.handler = async () => {
  const client = memjs.Client.create(process.env.MEMCACHED);
  await client.set("npm", "value", { expires: 60 });
  const { value } = await client.get("npm");
  await client.delete("npm");
  const gone = await client.get("npm");
  client.close();
  return [value.toString(), gone.value];
};
