// nats: the error where no server is; none is in Debian
import { connect, StringCodec } from "nats";

export const handler = async () => {
  const codec = StringCodec();
  const failed = await connect({ servers: "127.0.0.1:1", timeout: 500, reconnect: false }).catch((error) => error.code);
  return [failed, codec.decode(codec.encode("é"))];
};
