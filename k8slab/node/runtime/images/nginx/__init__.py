"""nginx: a web server and reverse proxy that does what its configuration says.

    syntax, directives   the form of the files; which directives there are, and where
    config               servers, locations, groups of backends, inherited settings
    choosing             which server and location a request is for
    steps, content       return, rewrite, if; files, try_files, error pages, logs
    upstream, proxy      backends in turns; passing requests on

It reads /etc/nginx/nginx.conf and what that includes, refuses to start with nginx's own words,
and reads again on SIGHUP (`nginx -s reload`). TLS is plain text, as everywhere in the lab.

Rule of use: the program is `master:main`; the image's own files are in `defaults`.

Upstream: nginx, docker-library nginx
"""
