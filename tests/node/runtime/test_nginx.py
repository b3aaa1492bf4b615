"""nginx does what its configuration says, and refuses with its own words."""

from __future__ import annotations

import pytest

from k8slab.node import http
from k8slab.node.folder import Folder
from k8slab.node.interfaces import EXITED, RUNNING, Mount
from k8slab.node.runtime.images.nginx.choosing import server_for
from k8slab.node.runtime.images.nginx.config import load
from k8slab.node.runtime.images.nginx.syntax import ConfigError
from k8slab.node.runtime.images.nginx.upstream import Group, Peer

SITE = "/etc/nginx/conf.d/default.conf"


def started(bench, text, *, path=SITE, hosts="", **fields):
    folder = Folder()
    folder.write(path.rpartition("/")[2], text)
    mounts = (Mount(path.rpartition("/")[0], folder), *fields.pop("mounts", ()))
    id = bench.start("nginx:1.29", mounts=mounts, hosts=hosts, **fields)
    bench.run(2)
    return id


def served(bench, text, **fields):
    id = started(bench, text, **fields)
    assert bench.status(id).state == RUNNING, bench.log(id)
    return id


def ask(bench, id, target="/", port=80, method="GET", **headers):
    ip = bench.ip(bench.sandbox_of(id))
    headers = {"Host": "pod", **{k.replace("_", "-"): v for k, v in headers.items()}}
    request = http.Request(method, target, headers)
    return bench.do(http.request(bench.machine.net, ip, port, request, timeout=200))


def backend(bench, text="from the backend"):
    id = served(bench, f"server {{ listen 80; return 200 '{text} $request_uri $http_x_who'; }}")
    return bench.ip(bench.sandbox_of(id))


@pytest.mark.parametrize(
    ("target", "body"),
    [
        ("/", "root"),
        ("/api/", "exact"),
        ("/api/x", "prefix"),
        ("/api/x.png", "picture"),
        ("/static/x.png", "static"),
        ("/x.PNG", "picture"),
        ("/api/v2/x", "inner"),
    ],
)
def test_a_location_is_chosen_as_nginx_does(bench, target, body):
    text = """server {
        location / { return 200 root; }
        location = /api/ { return 200 exact; }
        location /api/ { location /api/v2/ { return 200 inner; } return 200 prefix; }
        location ^~ /static/ { return 200 static; }
        location ~* \\.(png|jpg)$ { return 200 picture; }
    }"""
    assert ask(bench, served(bench, text), target).text == body


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("a.example", "a.example"),
        ("x.a.example", "*.a.example"),
        ("www.b", "www.*"),
        ("db12", "~^db"),
        ("other", "first"),
    ],
)
def test_a_server_is_chosen_by_the_hosts_name(host, name):
    names = ("first", "a.example", "*.a.example", "www.*", "~^db")
    text = " ".join(f"server {{ listen 80; server_name {n}; }}" for n in names)
    config = load("/x", lambda path: {"/x": f"events {{}} http {{ {text} }}"})
    assert server_for(config.servers, 80, host).names == (name,)


def test_a_request_goes_on_to_a_backend_by_its_name(bench):
    ip = backend(bench)
    text = "server { location /api/ { proxy_pass http://shop:80/v1/; } }"
    id = served(bench, text, hosts=f"{ip} shop\n")
    answer = ask(bench, id, "/api/cart?x=1", X_Who="me")
    assert answer.text == "from the backend /v1/cart?x=1 me"
    assert answer.header("Server").startswith("nginx/")


def test_without_a_path_in_proxy_pass_the_request_s_own_goes_on(bench):
    ip = backend(bench)
    text = "server { location /api/ { proxy_pass http://shop; } }"
    assert ask(bench, served(bench, text, hosts=f"{ip} shop\n"), "/api/x").text.endswith("/api/x ")


def test_headers_are_set_and_left_out(bench):
    text = "server { return 200 '$host $http_x_real_ip $http_x_who.'; }"
    ip = bench.ip(bench.sandbox_of(served(bench, text)))
    text = """server {
        proxy_set_header X-Who "";
        location / {
            proxy_set_header Host $host; proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header X-Who "";
            proxy_pass http://shop;
        }
    }"""
    answer = ask(bench, served(bench, text, hosts=f"{ip} shop\n"), X_Who="me")
    assert answer.text == "pod 10.244.1.1 ."


def test_an_unknown_backend_keeps_nginx_from_starting(bench):
    id = started(bench, "server {\n  location / {\n    proxy_pass http://shop;\n  }\n}")
    assert bench.status(id).state == EXITED
    assert bench.status(id).exit_code == 1
    assert f'nginx: [emerg] host not found in upstream "shop" in {SITE}:3' in bench.log(id)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("server { listne 80; }", f'unknown directive "listne" in {SITE}:1'),
        ("listen 80;", f'"listen" directive is not allowed here in {SITE}:1'),
        ("server { listen 80 }", f'unexpected "}}" in {SITE}:1'),
        ("server {\n listen 80;\n", f'unexpected end of file, expecting "}}" in {SITE}:3'),
        ("server { root; }", f'invalid number of arguments in "root" directive in {SITE}:1'),
        ("server { listen no; }", f'host not found in "no" of the "listen" directive in {SITE}:1'),
        ("server { listen 80 {} }", f'directive "listen" is not terminated by ";" in {SITE}:1'),
        ("server;", f'directive "server" has no opening "{{" in {SITE}:1'),
        ("server { return 200 $nothing; }", 'unknown "nothing" variable'),
        ("server { location / { proxy_pass shop; } }", f"invalid URL prefix in {SITE}:1"),
        (
            "include /etc/nginx/more.conf;",
            f'open() "/etc/nginx/more.conf" failed (2: No such file or directory) in {SITE}:1',
        ),
        (
            "server { location /a {} location /a {} }",
            f'duplicate location "/a" in {SITE}:1',
        ),
    ],
)
def test_a_wrong_configuration_is_refused_in_nginx_s_words(bench, text, error):
    id = started(bench, text)
    assert bench.status(id).exit_code == 1
    assert f"nginx: [emerg] {error}\n" in bench.log(id)


def test_a_backend_that_refuses_is_a_bad_gateway_and_said_so(bench):
    ip = bench.ip(bench.sandbox_of(bench.start("busybox", "sleep", "1000")))
    id = served(bench, "server { location / { proxy_pass http://shop:81; } }", hosts=f"{ip} shop\n")
    assert ask(bench, id, "/x").status == 502
    assert (
        "connect() failed (111: Connection refused) while connecting to upstream, "
        f'client: 10.244.1.1, server: , request: "GET /x HTTP/1.1", upstream: "http://{ip}:81/x", '
        'host: "pod"'
    ) in bench.log(id)


def test_a_backend_that_says_nothing_is_a_gateway_timeout(bench):
    mute = bench.start("busybox", "sh", "-c", "nc -l -p 80 -e sleep 1000")
    bench.run(1)
    ip = bench.ip(bench.sandbox_of(mute))
    text = "server { location / { proxy_read_timeout 3s; proxy_pass http://shop; } }"
    id = served(bench, text, hosts=f"{ip} shop\n")
    assert ask(bench, id).status == 504
    assert "while reading response header from upstream" in bench.log(id)


def test_backends_take_turns_and_a_dead_one_is_passed_over(bench):
    one, two = backend(bench, "one"), backend(bench, "two")
    dead = bench.ip(bench.sandbox_of(bench.start("busybox", "sleep", "1000")))
    text = """upstream shop { server one; server two; server dead; }
        server { location / { proxy_pass http://shop; } }"""
    id = served(bench, text, hosts=f"{one} one\n{two} two\n{dead} dead\n")
    seen = [ask(bench, id).text.partition(" ")[0] for _ in range(6)]
    assert {*seen} == {"one", "two"}
    assert abs(seen.count("one") - seen.count("two")) <= 1


def test_turns_are_mixed_evenly_by_weight_and_backups_wait():
    heavy, light, spare = Peer("a", 1, weight=3), Peer("b", 1), Peer("c", 1, backup=True)
    group = Group([heavy, light, spare])
    picked = [group.pick(0, (), "").ip for _ in range(8)]
    assert "".join(picked) == "aabaaaba"
    group.failed(heavy, 0)
    group.failed(light, 0)
    assert group.pick(1, (), "").ip == "c"
    assert group.pick(11, (), "").ip in "ab"


def test_a_variable_in_proxy_pass_needs_a_resolver(bench):
    text = "server { set $where shop; location / { proxy_pass http://$where; } }"
    id = served(bench, text)
    assert ask(bench, id).status == 502
    assert "no resolver defined to resolve shop" in bench.log(id)


def test_files_indexes_folders_and_what_is_missing(bench):
    folder = Folder()
    folder.write("index.html", "home")
    folder.write("docs/page.txt", "text")
    text = """server {
        root /data;
        location / { try_files $uri $uri/ /index.html; }
        location /plain/ { alias /data/docs/; }
        location /list/ { autoindex on; index none; alias /data/; }
        location /strict/ { }
    }"""
    id = served(bench, text, mounts=(Mount("/data", folder),))
    assert ask(bench, id).text == "home"
    assert ask(bench, id, "/no/such/page").text == "home"
    assert ask(bench, id, "/plain/page.txt").text == "text"
    assert ask(bench, id, "/strict/x").status == 404
    assert 'open() "/data/strict/x" failed (2: No such file or directory)' in bench.log(id)
    assert '<a href="docs/">docs/</a>' in ask(bench, id, "/list/").text
    moved = ask(bench, served(bench, "server { root /etc; }"), "/nginx")
    assert (moved.status, moved.header("Location")) == (301, "http://pod/nginx/")


@pytest.mark.parametrize(
    ("steps", "target", "status", "found"),
    [
        ("return 301 https://$host$request_uri;", "/a?b", 301, "https://pod/a?b"),
        ("return https://other/;", "/", 302, "https://other/"),
        ("return 404;", "/", 404, "404 Not Found"),
        ("rewrite ^/old/(.*)$ /new/$1 permanent;", "/old/x", 301, "http://pod/new/x"),
        ("rewrite ^/old/(.*)$ /new/$1 last; location /new/ { return 200 $uri; }", "/old/x", 200,
         "/new/x"),
        ("if ($arg_debug = yes) { return 200 'debugging'; } return 403;", "/?debug=yes", 200,
         "debugging"),
        ("if ($request_method !~ ^(GET|HEAD)$) { return 405; } return 204;", "/", 204, ""),
        ("location / { deny all; }", "/", 403, "403 Forbidden"),
        ("error_page 404 = /gone; location = /gone { return 200 'was here'; } root /data;", "/x",
         200, "was here"),
        ("error_page 403 /no.html; location / { deny all; } "
         "location = /no.html { return 200 no; }", "/", 403, "no"),
        ("location ~ ^/u/(?<who>\\w+)$ { return 200 $who; }", "/u/ann", 200, "ann"),
        ("rewrite ^ /;", "/x", 200, "Welcome to nginx!"),
        ("location /a { rewrite ^ /a last; }", "/a", 500, "500 Internal Server Error"),
    ],
)  # fmt: skip
def test_steps_and_what_comes_of_them(bench, steps, target, status, found):
    id = served(bench, f"server {{ root /usr/share/nginx/html; {steps} }}")
    answer = ask(bench, id, target)
    assert answer.status == status
    assert found in answer.text + answer.header("Location")


def test_settings_are_inherited_as_a_whole(bench):
    text = """server {
        add_header X-A 1; add_header X-B 2;
        location /own { add_header X-C 3; return 200 x; }
        location / { return 200 x; }
        location /bad { return 404; }
    }"""
    id = served(bench, text)
    outer, own = ask(bench, id, "/"), ask(bench, id, "/own")
    assert (outer.header("X-A"), outer.header("X-B")) == ("1", "2")
    assert (own.header("X-A"), own.header("X-C")) == ("", "3")
    assert ask(bench, id, "/bad").header("X-A") == ""


def test_a_map_gives_a_variable_its_value(bench):
    text = """map $http_x_team $color { default grey; red 1; ~^b blue; }
        server { return 200 $color; }"""
    id = served(bench, text)
    assert [ask(bench, id, X_Team=team).text for team in ("", "red", "bob")] == [
        "grey", "1", "blue",
    ]  # fmt: skip


def test_a_whole_nginx_conf_may_be_mounted(bench):
    text = """events {} http { log_format short '$status $request_uri';
        access_log /dev/stdout short; server { listen 8080; return 200 whole; } }"""
    id = served(bench, text, path="/etc/nginx/nginx.conf")
    assert ask(bench, id, port=8080).text == "whole"
    assert "\n200 /\n" in bench.log(id)


def test_templates_are_filled_with_the_environment(bench):
    folder = Folder()
    folder.write("default.conf.template", "server { return 200 ${GREETING}; }")
    id = bench.start("nginx", mounts=(Mount("/etc/nginx/templates", folder),),
                     env={"GREETING": "hi"})  # fmt: skip
    bench.run(2)
    assert ask(bench, id).text == "hi"


def test_a_reload_reads_the_files_again_and_a_wrong_one_changes_nothing(bench):
    id = served(bench, "server { return 200 old; }")
    write = f"echo 'server {{ return 200 new; }}' > {SITE}"
    assert bench.exec(id, "sh", "-c", f"{write}; nginx -t && nginx -s reload").exit_code == 0
    bench.run(1)
    assert ask(bench, id).text == "new"
    result = bench.exec(id, "sh", "-c", f"echo 'server {{ }}}}' > {SITE}; nginx -t")
    assert "configuration file /etc/nginx/nginx.conf test failed" in result.stderr
    bench.exec(id, "nginx", "-s", "reload")
    bench.run(1)
    assert ask(bench, id).text == "new"
    assert '[emerg] 1#1: unexpected "}"' in bench.log(id)


def test_the_image_shows_its_files_and_quits(bench):
    id = served(bench, "server { }")
    assert "include /etc/nginx/conf.d/*.conf;" in bench.exec(id, "nginx", "-T").stdout
    bench.exec(id, "nginx", "-s", "quit")
    bench.run(1)
    assert bench.status(id).exit_code == 0


def test_what_is_not_simulated_is_said(bench):
    id = served(bench, "server { auth_basic realm; }")
    assert f"k8slab: nginx's auth_basic is not simulated ({SITE}:1)" in bench.log(id)


def test_words_may_be_quoted_and_go_over_lines():
    text = "events {} http { server { return 200 'a {b}; # \\'c\\'\nd'; } }"
    config = load("/x", lambda path: {"/x": text})
    assert config.servers[0].block.own[0].args == ("200", "a {b}; # 'c'\nd")


def test_a_file_that_is_not_there_is_told():
    with pytest.raises(ConfigError, match=r'open\(\) "/x" failed'):
        load("/x", lambda path: {})
