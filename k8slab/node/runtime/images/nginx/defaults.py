"""The files that the image brings along.

Rule of use: paths are relative, as in `Image.files`.

Upstream: docker-library nginx, nginx-unprivileged
"""

from __future__ import annotations

PAGE = """<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>If you see this page, nginx is successfully installed and working.</p>
</body>
</html>
"""
ERROR_PAGE = """<!DOCTYPE html>
<html>
<head>
<title>Error</title>
</head>
<body>
<h1>An error occurred.</h1>
</body>
</html>
"""
MAIN = """\

user  nginx;
worker_processes  auto;

error_log  /var/log/nginx/error.log notice;
pid        /run/nginx.pid;


events {
    worker_connections  1024;
}


http {
    include       /etc/nginx/mime.types;
    default_type  application/octet-stream;

    log_format  main  '$remote_addr - $remote_user [$time_local] "$request" '
                      '$status $body_bytes_sent "$http_referer" '
                      '"$http_user_agent" "$http_x_forwarded_for"';

    access_log  /var/log/nginx/access.log  main;

    sendfile        on;

    keepalive_timeout  65;

    include /etc/nginx/conf.d/*.conf;
}
"""
SITE = """\
server {
    listen       PORT;
    server_name  localhost;

    location / {
        root   /usr/share/nginx/html;
        index  index.html index.htm;
    }

    error_page   500 502 503 504  /50x.html;
    location = /50x.html {
        root   /usr/share/nginx/html;
    }
}
"""
FILES = {
    "etc/nginx/nginx.conf": MAIN,
    "etc/nginx/mime.types": "types {\n    text/html  html htm shtml;\n}\n",
    "usr/share/nginx/html/index.html": PAGE,
    "usr/share/nginx/html/50x.html": ERROR_PAGE,
}


def files(port: int) -> dict[str, str]:
    """Return the image's files; its own site listens on this port."""
    return {**FILES, "etc/nginx/conf.d/default.conf": SITE.replace("PORT", str(port))}
