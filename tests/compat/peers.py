"""The servers that functions talk to: Debian's PostgreSQL, MariaDB, Redis, RabbitMQ, Mosquitto and memcached, and moto in the
place of AWS. Each is started when it is wanted, on a free port of the loopback interface, with its data in a scratch folder,
and stopped at the end."""

import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import time

# Debian package of each, and a file that it brings.
PACKAGES = {
    "postgresql": "/usr/lib/postgresql",
    "mariadb-server": "/usr/sbin/mariadbd",
    "redis-server": "/usr/bin/redis-server",
    "rabbitmq-server": "/usr/lib/rabbitmq/bin/rabbitmq-server",
    "mosquitto": "/usr/sbin/mosquitto",
    "memcached": "/usr/bin/memcached",
}


def install(wanted=PACKAGES):
    """Installs what is missing. No service of the machine's is started."""
    missing = [package for package in wanted if not os.path.exists(PACKAGES[package])]
    if not missing:
        return
    print(f"compat: installing {' '.join(missing)}", flush=True)
    policy = pathlib.Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    finally:
        if ours:
            policy.unlink()


def make_certificates(folder):
    """Makes an authority, and a certificate of its for localhost."""
    folder.mkdir(parents=True)
    extensions = folder / "extensions"
    extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
    new = ["openssl", "req", "-new", "-newkey", "rsa:2048", "-noenc"]
    sign = [
        "openssl",
        "x509",
        "-req",
        "-days",
        "30",
        "-CA",
        "authority.pem",
        "-CAkey",
        "authority-key.pem",
        "-CAcreateserial",
    ]
    for command in (
        [
            *new,
            "-x509",
            "-days",
            "30",
            "-subj",
            "/CN=An Authority",
            "-keyout",
            "authority-key.pem",
            "-out",
            "authority.pem",
        ],
        [*new, "-subj", "/CN=localhost", "-keyout", "localhost-key.pem", "-out", "request.pem"],
        [*sign, "-in", "request.pem", "-extfile", extensions, "-out", "localhost.pem"],
    ):
        subprocess.run(command, check=True, cwd=folder, capture_output=True)
    return folder


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def as_user(name, command):
    """The command, as another user where this one is root, whom some servers refuse."""
    return (
        ["setpriv", f"--reuid={name}", f"--regid={name}", "--clear-groups", *map(str, command)]
        if os.getuid() == 0
        else command
    )


class Peers:
    """Servers that run; a method each."""

    def __init__(self, scratch, certificates, moto):
        self.scratch, self.certificates, self.moto_server = scratch, certificates, moto
        self.running, self.environment = [], {}
        scratch.mkdir(parents=True)
        scratch.chmod(0o755)

    def start(self, name):
        getattr(self, f"start_{name}")()

    def spawn(self, name, command, port, **options):
        log = open(self.scratch / f"{name}.log", "wb")
        command = list(map(str, command))
        process = subprocess.Popen(
            command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True, **options
        )
        self.running.append(process)
        self.wait(name, process, port)

    def wait(self, name, process, port):
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                assert process.poll() is None, f"{name} has ended: {(self.scratch / f'{name}.log').read_text()}"
                time.sleep(0.1)
        raise TimeoutError(f"{name} does not listen: {(self.scratch / f'{name}.log').read_text()}")

    def folder(self, name, user=None):
        folder = self.scratch / name
        folder.mkdir()
        for file in ("localhost.pem", "localhost-key.pem"):
            shutil.copy(self.certificates / file, folder)
        (folder / "localhost-key.pem").chmod(0o600)
        if user and os.getuid() == 0:
            entry = pwd.getpwnam(user)
            for path in (folder, *folder.iterdir()):
                os.chown(path, entry.pw_uid, entry.pw_gid)
        return folder

    def start_postgres(self):
        folder, port = self.folder("postgres", "postgres"), free_port()
        data = folder / "data"
        programs = max(pathlib.Path("/usr/lib/postgresql").iterdir()) / "bin"
        secret = folder / "password"
        secret.write_text("secret")
        secret.chmod(0o644)
        init = [
            programs / "initdb",
            "-D",
            data,
            "-U",
            "trine",
            f"--pwfile={secret}",
            "-A",
            "scram-sha-256",
            "-E",
            "UTF8",
            "--no-sync",
        ]
        subprocess.run(as_user("postgres", init), check=True, stdout=subprocess.DEVNULL, cwd=folder)
        options = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": folder,
            "fsync": "off",
            "ssl": "on",
            "ssl_cert_file": folder / "localhost.pem",
            "ssl_key_file": folder / "localhost-key.pem",
        }
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        self.spawn(
            "postgres",
            as_user("postgres", [programs / "postgres", "-D", data, "-p", port, *settings]),
            port,
            cwd=folder,
        )
        self.environment |= {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(port),
            "PGUSER": "trine",
            "PGPASSWORD": "secret",
            "PGDATABASE": "postgres",
            "POSTGRES_URL": f"postgres://trine:secret@127.0.0.1:{port}/postgres",
        }

    def start_mariadb(self):
        folder, port = self.folder("mariadb", "mysql"), free_port()
        data = folder / "data"
        user = ["--user=mysql"] if os.getuid() == 0 else []
        log = open(self.scratch / "mariadb-install.log", "wb")
        command = [
            "mariadb-install-db",
            "--no-defaults",
            f"--datadir={data}",
            "--skip-test-db",
            "--auth-root-authentication-method=normal",
            *user,
        ]
        subprocess.run(command, check=True, stdout=log, stderr=log)
        start = folder / "start.sql"
        start.write_text(
            "create database trine;\ncreate user trine@'127.0.0.1' identified by 'secret';\ngrant all on trine.* to trine@'127.0.0.1';\n"
        )
        start.chmod(0o644)
        command = [
            "/usr/sbin/mariadbd",
            "--no-defaults",
            f"--datadir={data}",
            f"--port={port}",
            "--bind-address=127.0.0.1",
            f"--socket={folder}/socket",
            f"--init-file={start}",
            f"--ssl-cert={folder}/localhost.pem",
            f"--ssl-key={folder}/localhost-key.pem",
            "--skip-name-resolve",
            *user,
        ]
        self.spawn("mariadb", command, port)
        self.environment |= {
            "MYSQL_HOST": "127.0.0.1",
            "MYSQL_TCP_PORT": str(port),
            "MYSQL_USER": "trine",
            "MYSQL_PASSWORD": "secret",
            "MYSQL_DATABASE": "trine",
            "MYSQL_URL": f"mysql://trine:secret@127.0.0.1:{port}/trine",
        }

    def start_redis(self):
        folder, port, secure = self.folder("redis"), free_port(), free_port()
        command = [
            "redis-server",
            "--port",
            port,
            "--tls-port",
            secure,
            "--tls-cert-file",
            folder / "localhost.pem",
            "--tls-key-file",
            folder / "localhost-key.pem",
            "--tls-auth-clients",
            "no",
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            folder,
        ]
        self.spawn("redis", command, port)
        self.environment |= {
            "REDIS_URL": f"redis://127.0.0.1:{port}",
            "REDIS_TLS_URL": f"rediss://localhost:{secure}",
            "REDIS_PORT": str(port),
        }

    def start_rabbitmq(self):
        folder, port, epmd = self.folder("rabbitmq"), free_port(), free_port()
        settings = folder / "rabbitmq.conf"
        settings.write_text(f"listeners.tcp.1 = 127.0.0.1:{port}\nloopback_users = none\n")
        environment = {
            **os.environ,
            "HOME": str(folder),
            "ERL_EPMD_PORT": str(epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"trine{port}@localhost",
            "RABBITMQ_CONFIG_FILE": str(settings),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1",
        }
        # The broker would start a name server that outlives it.
        self.spawn("epmd", ["epmd", "-port", epmd, "-address", "127.0.0.1"], epmd)
        self.spawn("rabbitmq", [PACKAGES["rabbitmq-server"]], port, env=environment)
        self.environment |= {"AMQP_URL": f"amqp://guest:guest@127.0.0.1:{port}/"}

    def start_mosquitto(self):
        folder, port = self.folder("mosquitto"), free_port()
        settings = folder / "mosquitto.conf"
        settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
        self.spawn("mosquitto", ["/usr/sbin/mosquitto", "-c", settings], port)
        self.environment |= {"MQTT_HOST": "127.0.0.1", "MQTT_PORT": str(port), "MQTT_URL": f"mqtt://127.0.0.1:{port}"}

    def start_memcached(self):
        port = free_port()
        self.spawn("memcached", ["memcached", "-l", "127.0.0.1", "-p", port, "-u", "nobody"], port)
        self.environment |= {"MEMCACHED": f"127.0.0.1:{port}"}

    def start_aws(self):
        port = free_port()
        self.spawn("moto", [self.moto_server, "-H", "127.0.0.1", "-p", port], port)
        self.environment |= {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}

    def stop(self):
        """Ends what was started, last first, and removes its data."""
        for process in reversed(self.running):
            for number in (signal.SIGTERM, signal.SIGKILL):
                try:
                    os.killpg(process.pid, number)
                    process.wait(20)
                except ProcessLookupError:
                    break
                except subprocess.TimeoutExpired:
                    continue
                break
        shutil.rmtree(self.scratch, ignore_errors=True)
