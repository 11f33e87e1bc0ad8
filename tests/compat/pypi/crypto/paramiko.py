# paramiko, asyncssh: a server of SSH and clients: commands, keys, wrong passwords
import asyncio
import socket
import threading
import asyncssh
import paramiko


class Server(paramiko.ServerInterface):
    def check_auth_password(self, username, password):
        return paramiko.AUTH_SUCCESSFUL if password == "p" else paramiko.AUTH_FAILED

    def check_channel_request(self, kind, number):
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel, command):
        def run():
            channel.sendall(b"ran " + command)
            channel.send_exit_status(3)
            channel.close()

        threading.Timer(0.05, run).start()
        return True


def serve(listener, key):
    for _ in range(2):
        connection, _ = listener.accept()
        transport = paramiko.Transport(connection)
        transport.add_server_key(key)
        transport.start_server(server=Server())


async def later():
    class Ours(asyncssh.SSHServer):
        def begin_auth(self, username):
            return False

    def process(it):
        it.stdout.write(f"async {it.command}")
        it.exit(0)

    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=Ours,
        server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
        process_factory=process,
    )
    async with asyncssh.connect("127.0.0.1", server.get_port(), known_hosts=None, username="u") as connection:
        result = await connection.run("it")
    server.close()
    return result.stdout


def handler(event, context):
    key = paramiko.RSAKey.generate(2048)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener, key))
        thread.start()
        told = []
        for password in ("p", "x"):
            client = paramiko.SSHClient()
            client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
            try:
                client.connect(
                    "127.0.0.1", listener.getsockname()[1], "u", password, look_for_keys=False, allow_agent=False
                )
                _, stdout, _ = client.exec_command("it")
                told.append([stdout.read().decode(), stdout.channel.recv_exit_status()])
            except paramiko.AuthenticationException as error:
                told.append(type(error).__name__)
            client.close()
        thread.join()
    return told + [asyncio.run(later())]
