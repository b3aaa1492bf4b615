"""Which directives nginx knows, where each may stand, and which of them the lab acts on.

A row is a set of contexts, how many arguments, and names. Contexts: M main, E events, H http,
U upstream, S server, L location, I if, P map and the like, whose lines are free.

Rule of use: what is only accepted changes nothing in the lab; `SILENT` of it makes no difference
to a client anyway, for the rest the container's log says that it is not simulated.

Upstream: nginx src/http/ngx_http_core_module.c and its modules (the tables of commands)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from k8slab.node.runtime.images.nginx.syntax import ConfigError, Directive

MANY = 1 << 16  # arguments: what a 9 in the tables stands for
BLOCKS = {
    "events": "E", "http": "H", "upstream": "U", "server": "S", "location": "L", "if": "I",
    "map": "P", "geo": "P", "split_clients": "P", "types": "P", "limit_except": "L", "stream": "P",
}  # fmt: skip
SIMULATED = """
    MEHUSL 1: include
    M 0: http events
    H 0: server
    H 1: upstream
    H 2: map
    H 2-9: log_format
    SL 1-2: location
    SLI 1-9: if
    U 1-9: server
    U 0: ip_hash least_conn
    S 1-9: listen server_name
    HSLI 1: root default_type
    L 1: alias
    HSL 1-9: index
    SL 2-9: try_files
    SLI 1-2: return
    SLI 2-3: rewrite
    SLI 2: set
    SLI 0: break
    LI 1: proxy_pass
    HSL 2: proxy_set_header
    HSL 1: proxy_connect_timeout proxy_read_timeout proxy_http_version
    HSL 1-9: proxy_next_upstream
    HSLI 2-3: add_header
    HSLI 2-9: error_page
    HSL 1-9: resolver
    HSL 1: allow deny
    HSLI 1-9: access_log
    MHSL 1-2: error_log
    SL 0-1: stub_status
    L 0: internal
    HSL 1: server_tokens autoindex
    HSL 1-2: expires
"""
SILENT = """
    M 1: user worker_processes worker_rlimit_nofile pid daemon master_process pcre_jit
    M 1-2: load_module env worker_cpu_affinity
    E 1: worker_connections multi_accept use accept_mutex
    H 0: types
    HSL 1: sendfile tcp_nopush tcp_nodelay client_max_body_size client_body_buffer_size gzip
    HSL 1: keepalive_requests send_timeout client_body_timeout reset_timedout_connection aio
    HSL 1: gzip_vary gzip_proxied gzip_comp_level gzip_min_length gzip_http_version gzip_static
    HSL 1: proxy_buffering proxy_buffer_size proxy_send_timeout proxy_redirect port_in_redirect
    HSL 1: proxy_request_buffering server_name_in_redirect log_not_found etag resolver_timeout
    HSL 1: absolute_redirect chunked_transfer_encoding directio charset lingering_close
    HSL 1: proxy_next_upstream_tries proxy_next_upstream_timeout proxy_ssl_server_name merge_slashes
    HSL 1-2: keepalive_timeout gzip_disable large_client_header_buffers proxy_busy_buffers_size
    HSL 1-9: gzip_types gzip_buffers proxy_buffers open_file_cache proxy_hide_header satisfy
    HSL 2: proxy_set_body
    HS 1: client_header_timeout client_header_buffer_size server_names_hash_bucket_size
    HS 1: types_hash_max_size server_names_hash_max_size types_hash_bucket_size
    HS 1: variables_hash_max_size variables_hash_bucket_size map_hash_bucket_size
    HS 1: underscores_in_headers ignore_invalid_headers http2
    HS 1: ssl_certificate ssl_certificate_key ssl_prefer_server_ciphers ssl_session_timeout
    HS 1: ssl_session_tickets ssl_dhparam ssl_ciphers ssl_stapling ssl_stapling_verify
    HS 1-9: ssl_protocols ssl_session_cache
    U 1: keepalive keepalive_timeout keepalive_requests
    U 1-2: zone
    U 0-2: random
    U 1-2: hash
    L 0: ip_hash
"""
NOT_SIMULATED = """
    M 0: stream mail
    H 1: geo limit_req_status limit_conn_status
    H 2: split_clients
    H 1-9: limit_req_zone limit_conn_zone proxy_cache_path
    HSL 1: auth_basic auth_basic_user_file auth_request sub_filter_once proxy_cache proxy_cache_key
    HSL 1: limit_rate mirror proxy_bind proxy_ssl_verify proxy_intercept_errors limit_rate_after
    HSL 1: real_ip_header set_real_ip_from real_ip_recursive
    HSL 1-9: limit_req limit_conn sub_filter proxy_cache_valid proxy_cookie_path
    LI 1: fastcgi_pass uwsgi_pass grpc_pass memcached_pass
    HSL 1-9: fastcgi_param fastcgi_index uwsgi_param grpc_set_header
    L 1-9: limit_except
"""


def _read(table: str) -> Iterator[tuple[str, tuple[str, int, int]]]:
    for row in table.strip().splitlines():
        rule, _, names = row.strip().partition(": ")
        contexts, _, count = rule.partition(" ")
        least, _, most = count.partition("-")
        for name in names.split():
            yield name, (contexts, int(least), MANY if most == "9" else int(most or least))


def _rows(*tables: str) -> dict[str, list[tuple[str, int, int]]]:
    rows: dict[str, list[tuple[str, int, int]]] = {}
    for table in tables:
        for name, rule in _read(table):
            rows.setdefault(name, []).append(rule)
    return rows


KNOWN = _rows(SIMULATED, SILENT, NOT_SIMULATED)
UNTOUCHED = frozenset(name for name, _ in _read(NOT_SIMULATED))


def check(directives: Iterable[Directive], context: str = "M") -> Iterator[Directive]:
    """Yield the directives that the lab does not act on. Raises ConfigError for what is wrong."""
    for found in directives:
        _check_one(found, context)
        if found.name in UNTOUCHED:
            yield found
        inner = BLOCKS.get(found.name, "")
        if found.block is not None and inner != "P":
            yield from check(found.block, inner)


def _check_one(found: Directive, context: str) -> None:
    rules = KNOWN.get(found.name)
    if rules is None:
        raise ConfigError(f'unknown directive "{found.name}" in {found.where}')
    allowed = [rule for rule in rules if context in rule[0]]
    if not allowed:
        raise ConfigError(f'"{found.name}" directive is not allowed here in {found.where}')
    is_block = found.name in BLOCKS and (found.name, context) != ("server", "U")
    if is_block and found.block is None:
        raise ConfigError(f'directive "{found.name}" has no opening "{{" in {found.where}')
    if not is_block and found.block is not None:
        raise ConfigError(f'directive "{found.name}" is not terminated by ";" in {found.where}')
    if not any(least <= len(found.args) <= most for _, least, most in allowed):
        raise ConfigError(
            f'invalid number of arguments in "{found.name}" directive in {found.where}'
        )
