"""The images that the lab ships: where each one's program is, and what is around it.

A row per repository; any tag of it runs the same program. Programs are named, not imported, so
that reading this table costs nothing.

Rule of use: a new image is a module with `async def main(process)` and a row here.

Upstream: the Dockerfiles of these images
"""

from __future__ import annotations

from typing import Any

from k8slab.node.runtime.images.nginx.defaults import files as nginx_files

_HERE = "k8slab.node.runtime.images"
_BOUTIQUE = "us-central1-docker.pkg.dev/online-boutique-ci/microservices-demo"
MEGABYTE = 1_000_000

HELLO_FRONTEND = """\
upstream Backend {
    server hello;
}

server {
    listen 80;

    location / {
        proxy_pass http://Backend;
    }
}
"""
HTTPD_PAGE = "<html><body><h1>It works!</h1></body></html>\n"

_GETENT = {"getent": f"{_HERE}.getent:main"}
_DNS_TOOLS = {
    **_GETENT,
    "dig": f"{_HERE}.dig:main",
    "nslookup": f"{_HERE}.bind_nslookup:main",
    "curl": f"{_HERE}.curl:main",
}
_BUSYBOX: dict[str, Any] = {
    "program": f"{_HERE}.busybox.sh:sh",
    "entrypoint": (),
    "cmd": ("sh",),
    "shell": True,
    "files": {"etc/passwd": "root:x:0:0:root:/root:/bin/sh\n", "etc/group": "root:x:0:\n"},
}
_REDIS: dict[str, Any] = {
    "program": f"{_HERE}.redis:main",
    "entrypoint": ("docker-entrypoint.sh",),
    "cmd": ("redis-server",),
    "executables": {"redis-server": f"{_HERE}.redis:main", "redis-cli": f"{_HERE}.redis:cli"},
    "ports": (6379,),
    "shell": True,
    "size": 46 * MEGABYTE,
}
_AGNHOST: dict[str, Any] = {
    "program": f"{_HERE}.agnhost:main",
    "entrypoint": ("/agnhost",),
    "cmd": ("pause",),
    "shell": True,
    "libc": "musl",
    "size": 52 * MEGABYTE,
}
_NGINX: dict[str, Any] = {
    "program": f"{_HERE}.nginx.master:main",
    "entrypoint": ("/docker-entrypoint.sh",),
    "cmd": ("nginx", "-g", "daemon off;"),
    "executables": {"nginx": f"{_HERE}.nginx.master:main", "curl": f"{_HERE}.curl:main"},
    "ports": (80,),
    "shell": True,
    "files": nginx_files(80),
    "stop_signal": "SIGQUIT",
    "size": 72 * MEGABYTE,
}
_HELLO_APP: dict[str, Any] = {"program": f"{_HERE}.hello_app:main", "ports": (8080,)}


def _generic(size: int, *ports: int) -> dict[str, Any]:
    """An image that is known by its ports only: it runs the generic server, and says so."""
    fields = {"program": f"{_HERE}.generic:main", "ports": ports, "size": size * MEGABYTE}
    return {**fields, "shell": True, "any_command": True}


def _boutique(name: str, size: int) -> dict[str, Any]:
    fields = {"program": f"{_HERE}.online_boutique:{name}", "size": size * MEGABYTE}
    return {f"{_BOUTIQUE}/{name}": fields}


SHIPPED: dict[str, dict[str, Any]] = {
    "registry.k8s.io/pause": {
        "program": f"{_HERE}.pause:main",
        "size": 320_000,
        "user": 65535,
    },
    # -- tools
    "docker.io/library/busybox": {**_BUSYBOX, "size": 2_160_000},
    "docker.io/library/alpine": {
        **_BUSYBOX,
        "executables": _GETENT,
        "cmd": ("/bin/sh",),
        "libc": "musl",
        "size": 3_700_000,
    },
    "docker.io/curlimages/curl": {
        "program": f"{_HERE}.curl:main",
        "entrypoint": ("/entrypoint.sh",),
        "executables": {"curl": f"{_HERE}.curl:main"},
        "cmd": ("curl",),
        "user": 100,
        "shell": True,
        "libc": "musl",
        "size": 9 * MEGABYTE,
    },
    "docker.io/library/bash": {
        **_BUSYBOX,
        "cmd": ("bash",),
        "libc": "musl",
        "size": 6 * MEGABYTE,
    },
    "docker.io/library/ubuntu": {
        **_BUSYBOX,
        "executables": _GETENT,
        "cmd": ("/bin/bash",),
        "size": 29 * MEGABYTE,
    },
    "docker.io/library/debian": {
        **_BUSYBOX,
        "executables": _GETENT,
        "cmd": ("bash",),
        "size": 48 * MEGABYTE,
    },
    "registry.k8s.io/busybox": {**_BUSYBOX, "size": 2_160_000},
    "registry.k8s.io/e2e-test-images/jessie-dnsutils": {
        **_BUSYBOX,
        "executables": _DNS_TOOLS,
        "cmd": ("/usr/bin/tail", "-f", "/dev/null"),
        "size": 85 * MEGABYTE,
    },
    "docker.io/nicolaka/netshoot": {
        **_BUSYBOX,
        "executables": _DNS_TOOLS,
        "cmd": ("bash",),
        "libc": "musl",
        "size": 190 * MEGABYTE,
    },
    "docker.io/library/perl": {
        "program": f"{_HERE}.perl:main",
        "entrypoint": (),
        "cmd": ("perl", "-de0"),
        "executables": {"perl": f"{_HERE}.perl:main"},
        "shell": True,
        "size": 350 * MEGABYTE,
    },
    "docker.io/polinux/stress": {
        "program": f"{_HERE}.stress:main",
        "entrypoint": (),
        "cmd": ("stress", "--version"),
        "shell": True,
        "libc": "musl",
        "size": 4 * MEGABYTE,
    },
    "docker.io/vish/stress": {"program": f"{_HERE}.stress:vish", "size": 1_500_000},
    "registry.k8s.io/hpa-example": {
        "program": f"{_HERE}.hpa_example:main",
        "ports": (80,),
        "shell": True,
        "size": 180 * MEGABYTE,
    },
    "registry.k8s.io/e2e-test-images/agnhost": _AGNHOST,
    # what upstream's page about debugging Services runs
    "registry.k8s.io/serve_hostname": {
        **_AGNHOST,
        "cmd": ("serve-hostname",),
        "ports": (9376,),
        "size": 2 * MEGABYTE,
    },
    "registry.k8s.io/e2e-test-images/busybox": {**_BUSYBOX, "size": 2_200_000},
    "registry.k8s.io/e2e-test-images/nginx": _NGINX,
    "registry.k8s.io/nginx-slim": _NGINX,
    # what the task "Connect a Frontend to a Backend Using Services" runs
    "gcr.io/google-samples/hello-frontend": {
        **_NGINX,
        "files": {**nginx_files(80), "etc/nginx/conf.d/default.conf": HELLO_FRONTEND},
    },
    "gcr.io/google-samples/hello-go-gke": {
        "program": f"{_HERE}.hello_app:backend",
        "ports": (80,),
        "size": 5 * MEGABYTE,
    },
    # -- servers
    "docker.io/library/nginx": _NGINX,
    "docker.io/nginxinc/nginx-unprivileged": {
        **_NGINX,
        "ports": (8080,),
        "user": 101,
        "files": nginx_files(8080),
    },
    "docker.io/library/httpd": {
        "program": f"{_HERE}.httpd:main",
        "entrypoint": ("httpd-foreground",),
        "ports": (80,),
        "shell": True,
        "files": {"usr/local/apache2/htdocs/index.html": HTTPD_PAGE},
        "stop_signal": "SIGWINCH",
        "size": 45 * MEGABYTE,
    },
    "docker.io/hashicorp/http-echo": {
        "program": f"{_HERE}.http_echo:main",
        "entrypoint": ("/http-echo",),
        "ports": (5678,),
        "size": 6 * MEGABYTE,
    },
    "docker.io/library/hello-world": {
        "program": f"{_HERE}.hello_world:main",
        "entrypoint": ("/hello",),
        "size": 4_000,
    },
    "gcr.io/google-samples/hello-app": _HELLO_APP,
    "us-docker.pkg.dev/google-samples/containers/gke/hello-app": _HELLO_APP,
    "docker.io/traefik/whoami": {
        "program": f"{_HERE}.whoami:main",
        "ports": (80,),
        "size": 3 * MEGABYTE,
    },
    "gcr.io/google-samples/kubernetes-bootcamp": {
        "program": f"{_HERE}.whoami:bootcamp",
        "entrypoint": (),
        "cmd": ("/bin/sh", "-c", "node server.js"),
        "executables": {"node": f"{_HERE}.whoami:bootcamp"},
        "ports": (8080,),
        "shell": True,
        "size": 83 * MEGABYTE,
    },
    "registry.k8s.io/echoserver": _generic(43, 8080),
    "docker.io/library/wordpress": _generic(240, 80),
    # -- stores
    "docker.io/library/mysql": _generic(270, 3306),
    "docker.io/library/mariadb": _generic(120, 3306),
    "docker.io/library/mongo": _generic(320, 27017),
    "docker.io/library/memcached": _generic(32, 11211),
    "docker.io/library/rabbitmq": _generic(110, 5672),
    "docker.io/library/redis": _REDIS,
    "docker.io/library/postgres": {
        "program": f"{_HERE}.postgres:main",
        "entrypoint": ("docker-entrypoint.sh",),
        "cmd": ("postgres",),
        "executables": {
            "postgres": f"{_HERE}.postgres:main",
            "psql": f"{_HERE}.postgres_clients:psql",
            "pg_isready": f"{_HERE}.postgres_clients:pg_isready",
        },
        "ports": (5432,),
        "shell": True,
        "stop_signal": "SIGINT",
        "size": 155 * MEGABYTE,
    },
    # -- the guestbook
    "registry.k8s.io/redis": {**_REDIS, "size": 110 * MEGABYTE},
    "gcr.io/google_samples/gb-redisslave": {
        **_REDIS,
        "program": f"{_HERE}.redis:replica",
        "entrypoint": ("/entrypoint.sh",),
        "cmd": ("/run.sh",),
        "size": 109 * MEGABYTE,
    },
    "gcr.io/google-samples/gb-frontend": {
        "program": f"{_HERE}.guestbook:frontend",
        "entrypoint": ("docker-php-entrypoint",),
        "cmd": ("apache2-foreground",),
        "ports": (80,),
        "shell": True,
        "size": 160 * MEGABYTE,
    },
    # -- the online boutique
    **_boutique("frontend", 12),
    **_boutique("adservice", 110),
    **_boutique("cartservice", 22),
    **_boutique("checkoutservice", 11),
    **_boutique("currencyservice", 90),
    **_boutique("emailservice", 75),
    **_boutique("paymentservice", 95),
    **_boutique("productcatalogservice", 12),
    **_boutique("recommendationservice", 70),
    **_boutique("shippingservice", 11),
    **_boutique("shoppingassistantservice", 120),
    **_boutique("loadgenerator", 55),
}
