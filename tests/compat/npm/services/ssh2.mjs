// ssh2, ssh2-sftp-client, basic-ftp: a server and a client of SSH: commands and files; the error where no FTP server is
import ssh2 from "ssh2";
import SftpClient from "ssh2-sftp-client";
import { Client as Ftp } from "basic-ftp";

export const handler = async () => {
  const { private: key } = ssh2.utils.generateKeyPairSync("ed25519");
  const server = new ssh2.Server({ hostKeys: [key] }, (connection) => {
    connection.on("error", () => {});
    connection.on("authentication", (it) =>
      it.method === "password" && it.password === "p" ? it.accept() : it.reject(["password"]),
    );
    connection.on("ready", () =>
      connection.on("session", (accept) => {
        const session = accept();
        session.on("exec", (accept, reject, { command }) => {
          const stream = accept();
          stream.write(`ran ${command}`);
          stream.exit(3);
          stream.end();
        });
        session.on("sftp", (accept) => {
          const sftp = accept();
          sftp
            .on("REALPATH", (id, path) => sftp.name(id, [{ filename: "/", longname: "/", attrs: {} }]))
            .on("STAT", (id) => sftp.attrs(id, { mode: 0o100644, size: 5, uid: 0, gid: 0, atime: 0, mtime: 0 }));
        });
      }),
    );
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const settings = { host: "127.0.0.1", port: server.address().port, username: "u", password: "p" };
  const client = new ssh2.Client();
  await new Promise((resolve, reject) => client.on("ready", resolve).on("error", reject).connect(settings));
  const ran = await new Promise((resolve, reject) =>
    client.exec("it", (error, stream) => {
      if (error) return reject(error);
      let text = "";
      let code;
      stream
        .on("data", (chunk) => (text += chunk))
        .on("exit", (n) => (code = n))
        .on("close", () => resolve([text, code]));
    }),
  );
  client.end();
  const sftp = new SftpClient();
  await sftp.connect(settings);
  const { size } = await sftp.stat("/f");
  await sftp.end();
  const wrong = await new Promise((resolve) =>
    new ssh2.Client().on("error", (error) => resolve(error.level)).connect({ ...settings, password: "x" }),
  );
  server.close();
  const ftp = new Ftp(500);
  const refused = await ftp.access({ host: "127.0.0.1", port: 1 }).catch((error) => error.code);
  ftp.close();
  return [ran, size, wrong, refused];
};
