"""The images that the lab ships, asked over the network."""

from __future__ import annotations

import doctest
import re

import pytest

from k8slab.linux.errors import ConnectionRefused
from k8slab.node import grpc_health, http
from k8slab.node.folder import Folder
from k8slab.node.interfaces import EXITED, RUNNING, ContainerResources, Mount
from k8slab.node.runtime.images.registry import ImageRegistry
from k8slab.node.runtime.images.shipped import SHIPPED
from k8slab.node.runtime.serving import serve_http


def get(bench, id, port=80, target="/", **fields):
    request = http.Request("GET", target, fields.pop("headers", {"Host": "pod"}))
    ip = bench.ip(bench.sandbox_of(id))
    return bench.do(http.request(bench.machine.net, ip, port, request, timeout=5))


def up(bench, image, *command, **fields):
    id = bench.start(image, *command, **fields)
    bench.run(2)
    assert bench.status(id).state == RUNNING, bench.log(id)
    return id


@pytest.mark.parametrize("name", [*SHIPPED])
def test_every_shipped_program_can_be_loaded(name):
    image = ImageRegistry().resolve(name)
    first = image.command_line((), ())
    assert image.find(first[0]) is not None


@pytest.mark.parametrize("name", [n for n in SHIPPED if n != "docker.io/library/postgres"])
def test_every_shipped_image_starts_without_a_crash(bench, name):
    id = bench.start(name, args=("-text=x",) if "http-echo" in name else ())
    bench.run(2)
    assert "Traceback" not in bench.log(id)


def test_nginx_serves_its_page_and_logs_the_access(bench):
    id = up(bench, "nginx:1.29")
    answer = get(bench, id)
    assert answer.status == 200
    assert "Welcome to nginx!" in answer.text
    assert '"GET / HTTP/1.1" 200' in bench.log(id)
    assert get(bench, id, target="/nowhere").status == 404
    assert bench.stop(id).exit_code == 0


def test_a_volume_replaces_nginx_s_page(bench):
    folder = Folder()
    folder.write("index.html", "mine\n")
    id = up(bench, "nginx", mounts=(Mount("/usr/share/nginx/html", folder),))
    assert get(bench, id).text == "mine\n"


def test_nginx_obeys_a_mounted_configuration(bench):
    folder = Folder()
    folder.write("my.conf", "server { listen 8080; location / { return 200 'v2\\n'; } }")
    id = up(bench, "nginx", mounts=(Mount("/etc/nginx/conf.d", folder),))
    assert get(bench, id, 8080).text == "v2\n"


def test_a_second_server_in_the_pod_cannot_bind(bench):
    first = up(bench, "nginx")
    second = bench.start("httpd", sandbox=bench.sandbox_of(first))
    bench.run(1)
    assert bench.status(second).exit_code == 1
    assert "Address already in use" in bench.log(second)


def test_httpd_and_http_echo_and_hello_app_answer(bench):
    apache = up(bench, "httpd")
    assert "It works!" in get(bench, apache).text
    assert "<h1>Not Found</h1>" in get(bench, apache, target="/x").text
    echo = up(bench, "hashicorp/http-echo", args=("-text=banana", "-listen=:5678"))
    assert get(bench, echo, 5678).text == "banana\n"
    app = up(bench, "gcr.io/google-samples/hello-app:2.0")
    assert "Version: 2.0" in get(bench, app, 8080).text


def test_hello_world_prints_and_completes(bench):
    id = bench.start("hello-world")
    bench.run(1)
    assert (bench.status(id).state, bench.status(id).exit_code) == (EXITED, 0)
    assert "Hello from Docker!" in bench.log(id)


def test_agnhost_netexec(bench):
    id = up(bench, "registry.k8s.io/e2e-test-images/agnhost:2.57", args=("netexec",))
    assert get(bench, id, 8080, "/hostname").text == "pod-1"
    assert get(bench, id, 8080, "/echo?msg=hi").text == "hi"
    seen = get(bench, id, 8080, "/clientip").text
    assert re.fullmatch(r"10\.244\.1\.1:[1-9]\d+", seen)
    assert get(bench, id, 8080, "/shell?shellCommand=echo+in").text == '{"output": "in\\n"}\n'
    get(bench, id, 8080, "/exit?code=3")
    bench.run(1)
    assert bench.status(id).exit_code == 3


def test_redis_reads_a_file_of_settings_and_shows_them(bench):
    folder = Folder()
    folder.write("redis.conf", "# mine\nmaxmemory 2mb\nmaxmemory-policy allkeys-lru\n")
    mounts = (Mount("/conf", folder),)
    id = up(bench, "redis:8", "redis-server", "/conf/redis.conf", mounts=mounts)

    def cli(*words):
        return bench.exec(id, "redis-cli", *words).stdout

    assert cli("CONFIG", "GET", "maxmemory*") == (
        "maxmemory\n2097152\nmaxmemory-policy\nallkeys-lru\n"
    )
    assert cli("CONFIG", "SET", "maxmemory", "0") == "OK\n"
    assert cli("CONFIG", "SET", "nope", "0").startswith("(error) ERR Unknown option")
    gone = bench.start("redis:8", "redis-server", "/nowhere.conf")
    bench.run(1)
    assert bench.status(gone).exit_code == 1


def test_redis_lists_are_queues_and_sets_have_each_member_once(bench):
    id = up(bench, "redis:8")
    script = (
        "redis-cli RPUSH q a b c; redis-cli LPOP q; redis-cli RPOP q; redis-cli LREM q 0 b; "
        "redis-cli LPOP q; redis-cli SADD s x y x; redis-cli SCARD s; redis-cli TYPE s"
    )
    assert bench.exec(id, "sh", "-c", script).stdout == "3\na\nc\n1\n\n2\n2\nset\n"


def test_agnhost_answers_health_checks_for_its_service_until_it_is_told_otherwise(bench):
    words = ("/agnhost", "grpc-health-checking", "--service=db", "--port", "5000")
    id = up(bench, "registry.k8s.io/e2e-test-images/agnhost:2.53", *words)
    ip = bench.ip(bench.sandbox_of(id))

    def check(service):
        return bench.do(grpc_health.check(bench.machine.net, ip, 5000, service, 5))

    assert (check(""), check("db")) == (grpc_health.SERVING, grpc_health.SERVING)
    with pytest.raises(grpc_health.GrpcError, match="unknown service"):
        check("other")
    get(bench, id, 8080, "/make-not-serving")
    assert check("db") == grpc_health.NOT_SERVING


def test_agnhost_serves_files_and_prints_its_arguments(bench):
    image = "registry.k8s.io/e2e-test-images/agnhost:2.53"
    id = up(bench, image, "/agnhost", "test-webserver")
    assert get(bench, id, target="/etc/hostname").text == "pod-1\n"
    id = bench.start(image, "/agnhost", "entrypoint-tester", "a", "b")
    bench.run(1)
    assert bench.log(id) == "[/agnhost entrypoint-tester a b]\n"


def test_a_command_of_an_image_that_is_not_simulated_does_nothing_and_says_so(bench):
    id = up(bench, "mysql:8.4")
    result = bench.exec(id, "mysqladmin", "ping")
    assert result.exit_code == 0
    assert "mysql:8.4 is not simulated; mysqladmin does nothing here" in result.stderr
    assert bench.status(id).state == RUNNING


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("pg_isready",), 0, "/var/run/postgresql:5432 - accepting connections"),
        (("pg_isready", "-h", "127.0.0.1", "-p", "5432"), 0, "127.0.0.1:5432 - accepting"),
        (("pg_isready", "-h", "127.0.0.1", "-p", "1"), 2, "127.0.0.1:1 - no response"),
        (("psql", "-U", "postgres", "-c", "select 1"), 0, "SQL is not simulated"),
        (("psql", "-h", "127.0.0.1", "-p", "1"), 2,
         'psql: error: connection to server at "127.0.0.1" (127.0.0.1), port 1 failed: '
         "Connection refused"),
        (("psql", "postgres://me:pw@10.244.1.2:5432/shop"), 0, "connected to shop"),
        (("psql", "-h", "nowhere"), 2,
         'psql: error: could not translate host name "nowhere" to address'),
    ],
)  # fmt: skip
def test_postgres_has_the_clients_that_people_ask_with(bench, words, code, told):
    id = up(bench, "postgres:17", env={"POSTGRES_PASSWORD": "x"})
    result = bench.exec(id, *words)
    assert told in result.stdout + result.stderr
    assert result.exit_code == code


def test_redis_keeps_what_it_is_told(bench):
    id = up(bench, "redis:alpine")
    assert bench.exec(id, "redis-cli", "PING").stdout == "PONG\n"
    assert bench.exec(id, "redis-cli", "SET", "a", "1").stdout == "OK\n"
    assert bench.exec(id, "redis-cli", "INCR", "a").stdout == "2\n"
    assert bench.exec(id, "redis-cli", "GET", "a").stdout == "2\n"
    assert bench.exec(id, "redis-cli", "NOPE").stdout.startswith("(error) ERR unknown command")
    assert bench.stop(id).exit_code == 0


def test_postgres_wants_a_password(bench):
    id = bench.start("postgres:18")
    bench.run(3)
    assert bench.status(id).exit_code == 1
    up(bench, "postgres:18", env={"POSTGRES_PASSWORD": "x"})


def test_the_guestbook_writes_to_the_master_and_reads_from_the_replica(bench):
    sandbox = bench.sandbox()
    env = {"GET_HOSTS_FROM": "env", "REDIS_MASTER_SERVICE_HOST": "127.0.0.1"}
    master = up(bench, "registry.k8s.io/redis:e2e")
    host = bench.ip(bench.sandbox_of(master))
    env = {"GET_HOSTS_FROM": "env", "REDIS_MASTER_SERVICE_HOST": host}
    replica = up(bench, "gcr.io/google_samples/gb-redisslave:v1", env=env)
    env["REDIS_REPLICA_SERVICE_HOST"] = bench.ip(bench.sandbox_of(replica))
    front = up(bench, "gcr.io/google-samples/gb-frontend:v5", sandbox=sandbox, env=env)
    page = get(bench, front, 80, "/guestbook.php?cmd=set&key=messages&value=hi")
    assert page.text == '{"message": "Updated"}'
    bench.run(3)
    page = get(bench, front, 80, "/guestbook.php?cmd=get&key=messages")
    assert page.text == '{"data": "hi"}'
    bench.exec(master, "redis-cli", "RPUSH", "list", "a", "b")
    bench.run(1)
    assert bench.exec(replica, "redis-cli", "LRANGE", "list", "0", "-1").stdout == "a\nb\n"
    refused = bench.exec(replica, "redis-cli", "SET", "a", "1").stdout
    assert refused.startswith("(error) READONLY")


def test_an_idle_replica_costs_next_to_nothing_and_finds_a_new_master(bench):
    sandbox = bench.sandbox()
    master = up(bench, "redis", sandbox=sandbox)
    env = {"GET_HOSTS_FROM": "env", "REDIS_MASTER_SERVICE_HOST": bench.ip(sandbox)}
    replica = up(bench, "gcr.io/google_samples/gb-redisslave:v1", env=env)
    before = bench.sim.events
    bench.run(3600)
    assert bench.sim.events - before < 3600
    bench.stop(master)
    again = up(bench, "redis", sandbox=sandbox)
    bench.exec(again, "redis-cli", "SET", "a", "new")
    bench.run(5)
    assert bench.exec(replica, "redis-cli", "GET", "a").stdout == "new\n"


def test_a_boutique_service_is_healthy_over_grpc(bench):
    boutique = "us-central1-docker.pkg.dev/online-boutique-ci/microservices-demo"
    id = up(bench, f"{boutique}/cartservice:v0.10.6", env={"PORT": "7070"})
    ip = bench.ip(bench.sandbox_of(id))
    status = bench.do(grpc_health.check(bench.machine.net, ip, 7070, timeout=1))
    assert status == grpc_health.SERVING


def test_an_unknown_image_serves_its_declared_ports_and_says_so(bench):
    id = up(bench, "example.com/acme/shop:v3", ports=(("TCP", 8080),))
    assert "is not simulated" in bench.log(id)
    assert "GET /a" in get(bench, id, 8080, "/a").text
    ip = bench.ip(bench.sandbox_of(id))
    assert bench.do(grpc_health.check(bench.machine.net, ip, 8080)) == grpc_health.SERVING
    connection = bench.do(bench.machine.net.connect(ip, 8080))
    bench.do(connection.send(b"\x00\x01binary"))
    assert bench.do(connection.recv(5)) == b""
    assert bench.stop(id).exit_code == 0


def test_an_unknown_image_without_ports_waits(bench):
    id = up(bench, "example.com/acme/batch:v3", "python", "main.py")
    assert "it just waits" in bench.log(id)


@pytest.mark.parametrize(
    ("command", "code", "printed"),
    [
        (("curl", "-s", "http://IP/"), 0, "Welcome to nginx!"),
        (("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}\\n", "IP"), 0, "200\n"),
        (("curl", "-sf", "http://IP/nowhere"), 22, ""),
        (("curl", "http://IP:81/"), 7, "curl: (7) Failed to connect to IP port 81 after"),
        (("curl", "-m", "1", "http://10.244.1.99/"), 28, "timed out after 1000 milliseconds"),
        (("curl", "-m", "9", "http://10.244.1.99/"), 7, "curl: (7) Failed to connect"),
        (("curl",), 2, "curl: (2) no URL specified"),
        (("wget", "-qO-", "http://IP"), 0, "Welcome to nginx!"),
        (("wget", "-q", "-O", "-", "IP:81"), 1, "wget: can't connect to remote host (IP)"),
        (("wget", "--spider", "-S", "IP"), 0, "  HTTP/1.1 200 OK"),
        (
            ("wget", "-qO-", "--header=A: 1", "--header", "B: 2", "http://IP"),
            0,
            "Welcome to nginx!",
        ),
        (("wget", "IP/nowhere"), 1, "wget: server returned error: HTTP/1.1 404 Not Found"),
        (("nc", "-zv", "IP", "80"), 0, "IP (IP:80) open"),
        (("nc", "-zv", "-w", "1", "IP", "81"), 1, "Connection refused"),
        (("ping", "-c", "2", "IP"), 0, "2 packets transmitted, 2 packets received, 0% packet loss"),
        (("nslookup", "web"), 1, "no servers could be reached"),
        (("hostname", "-i"), 0, "10.244.1."),
        (("ip", "route"), 0, "default via 10.244.1.1 dev eth0"),
    ],
)
def test_network_tool(bench, command, code, printed):
    ip = bench.ip(bench.sandbox_of(up(bench, "nginx")))
    client = up(bench, "curlimages/curl", "sleep", "9999")
    result = bench.exec(client, *(word.replace("IP", ip) for word in command))
    assert printed.replace("IP", ip) in result.stdout + result.stderr
    assert result.exit_code == code


def test_stress_above_the_limit_is_oom_killed_and_below_it_runs(bench):
    args = ("--vm", "1", "--vm-bytes", "250M", "--vm-hang", "1")
    small, large = (ContainerResources(memory_limit=size << 20) for size in (100, 300))
    killed = bench.start("polinux/stress", "stress", *args, resources=small)
    up(bench, "polinux/stress", "stress", *args, resources=large)
    assert bench.status(killed).reason == "OOMKilled"
    up(bench, "vish/stress", args=("-cpus", "2"), resources=ContainerResources(cpu_limit=1000))


def test_perl_prints_pi(bench):
    id = bench.start("perl:5.34", "perl", "-Mbignum=bpi", "-wle", "print bpi(2000)")
    bench.run(60)
    assert bench.status(id).exit_code == 0
    assert bench.log(id).startswith("3.14159265358979323846264338327950288")
    assert len(bench.log(id)) == 2000 + len(".\n")


def test_agnhost_liveness_fails_after_ten_seconds(bench):
    id = up(bench, "registry.k8s.io/e2e-test-images/agnhost:2.40", args=("liveness",))
    assert get(bench, id, 8080, "/healthz").status == 200
    bench.run(10)
    assert get(bench, id, 8080, "/healthz").status == 500


def test_busybox_httpd_serves_a_folder(bench):
    script = "mkdir -p /www; echo $HOSTNAME > /www/index.html; httpd -f -p 8080 -h /www"
    id = up(bench, "busybox", "sh", "-c", script)
    assert get(bench, id, 8080).text == "pod-1\n"


def test_busybox_httpd_at_localhost_is_reached_from_inside_only(bench):
    id = up(bench, "busybox", "sh", "-c", "echo in > /index.html; httpd -f -p 127.0.0.1:8080 -h /")
    assert bench.exec(id, "wget", "-qO-", "http://127.0.0.1:8080").stdout == "in\n"
    with pytest.raises(ConnectionRefused):
        get(bench, id, 8080)
    head, _, row = bench.exec(id, "netstat", "-ltn").stdout.splitlines()
    assert head == "Active Internet connections (only servers)"
    assert row == (
        "tcp        0      0 127.0.0.1:8080          0.0.0.0:*               LISTEN      "
    )
    assert "8080" not in bench.exec(id, "netstat", "-lun").stdout
    assert "w/o servers" in bench.exec(id, "netstat", "-tn").stdout


def test_busybox_nc_sends_datagrams_from_its_own_port(bench):
    id = up(bench, "registry.k8s.io/e2e-test-images/agnhost:2.57", args=("netexec",))
    other = bench.start("busybox", "sleep", "infinity")
    line = f"echo clientip | nc -u -w 1 -p 5000 {bench.ip(bench.sandbox_of(id))} 8081"
    assert bench.exec(other, "sh", "-c", line).stdout.endswith(":5000")


def test_dig_says_that_nobody_answers(bench):
    id = up(bench, "registry.k8s.io/e2e-test-images/jessie-dnsutils:1.7", "sleep", "infinity")
    result = bench.exec(id, "dig", "web.default.svc.cluster.local")
    assert result.exit_code == 9
    assert ";; no servers could be reached" in result.stdout


def test_the_examples_of_programs_are_true():
    from k8slab.node.runtime.images import flags, perl, resp, stress
    from k8slab.node.runtime.images.nginx import choosing, syntax, upstream

    for module in (flags, choosing, syntax, upstream, perl, resp, stress):
        assert doctest.testmod(module).failed == 0


def test_the_tutorial_s_images_say_who_they_are(bench):
    id = up(bench, "gcr.io/google-samples/kubernetes-bootcamp:v1")
    assert get(bench, id, 8080).text.startswith("Hello Kubernetes bootcamp! | Running on: pod-1")
    id = up(bench, "traefik/whoami")
    assert get(bench, id).text.startswith("Hostname: pod-2\nIP: 127.0.0.1\nIP: 10.244.1.")


def test_an_image_that_is_known_by_its_ports_serves_them(bench):
    id = up(bench, "mongo:8")
    assert "is not simulated; this generic server answers on 27017/TCP" in bench.log(id)


@pytest.mark.parametrize(
    ("image", "port", "fields"),
    [
        ("redis", 6379, {}),
        ("nginx", 80, {}),
        ("postgres", 5432, {"env": {"POSTGRES_PASSWORD": "x"}}),
        ("example.com/any:v1", 80, {"ports": (("TCP", 80),)}),
    ],
)
@pytest.mark.parametrize(
    "garbage",
    [b"*x\r\n", b"*1\r\n$z\r\nA\r\n", b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"\x00" * 9],
)
def test_garbage_ends_the_connection_and_not_the_server(bench, image, port, fields, garbage):
    id = up(bench, image, **fields)
    connection = bench.do(bench.machine.net.connect(bench.ip(bench.sandbox_of(id)), port))
    bench.do(connection.send(garbage))
    connection.close()
    bench.run(5)
    assert bench.status(id).state == RUNNING
    assert "Traceback" not in bench.log(id)


def test_a_handler_that_raises_is_a_500_and_not_the_end(bench):
    @bench.registry.image("example.com/buggy:v1")
    async def main(process):
        serve_http(process, 80, lambda request: http.text(1 / 0))
        return await process.until_sigterm()

    id = up(bench, "example.com/buggy:v1")
    assert get(bench, id).status == 500
    assert "ZeroDivisionError" in bench.log(id)
    assert get(bench, id).status == 500


def test_curl_sends_the_requests_of_one_command_over_one_connection(bench):
    server = up(bench, "nginx")
    ip = bench.ip(bench.sandbox_of(server))
    client = up(bench, "curlimages/curl", "sleep", "9999")
    told = bench.exec(client, "curl", "-sv", f"http://{ip}/", f"http://{ip}/nowhere").stderr
    assert told.count("* Connected to") == 1
    assert f"* Reusing existing http: connection with host {ip}" in told
    apart = bench.exec(client, "curl", "-sv", "-H", "Connection: close", ip, ip).stderr
    assert apart.count("* Connected to") == 2


def test_curl_connects_anew_when_the_server_has_closed_meanwhile(bench):
    server = up(bench, "nginx")
    ip = bench.ip(bench.sandbox_of(server))
    bench.machine.net.keeps_open = lambda request, answer: True  # whatever was said
    client = up(bench, "curlimages/curl", "sleep", "9999")
    told = bench.exec(client, "curl", "-sv", "-H", "Connection: close", ip, ip)
    assert "* Connection died, retrying a fresh connect" in told.stderr
    assert told.stdout.count("Welcome to nginx!") == 4  # title and heading of two pages
