/// Names of the error codes of connections (`fc_err_name`, `bc_err_name`), by `fc_err`'s numbers.
enum ConnectionErrors {
  private static let names = [
    "", "CONF_FDLIM", "PROC_FDLIM", "SYS_FDLIM", "SYS_MEMLIM", "NOPROTO", "SOCK_ERR", "PORT_RANGE", "CANT_BIND",
    "FREE_PORTS", "ADDR_INUSE", "PRX_EMPTY", "PRX_ABORT", "PRX_TIMEOUT", "PRX_TRUNCATED", "PRX_NOT_HDR",
    "PRX_BAD_HDR", "PRX_BAD_PROTO", "CIP_EMPTY", "CIP_ABORT", "CIP_TIMEOUT", "CIP_TRUNCATED", "CIP_BAD_MAGIC",
    "CIP_BAD_PROTO", "SSL_EMPTY", "SSL_ABORT", "SSL_TIMEOUT", "SSL_TOO_MANY", "SSL_NO_MEM", "SSL_RENEG",
    "SSL_CA_FAIL", "SSL_CRT_FAIL", "SSL_MISMATCH", "SSL_MISMATCH_SNI", "SSL_HANDSHAKE", "SSL_HANDSHAKE_HB",
    "SSL_KILLED_HB", "SSL_NO_TARGET", "SSL_EARLY_FAILED", "SOCKS4_SEND", "SOCKS4_RECV", "SOCKS4_DENY",
    "SOCKS4_ABORT", "SSL_FATAL", "QMUX", "REVERSE", "POLLERR", "EREFUSED", "ERESET", "EUNREACH", "ENOMEM", "EBADF",
    "EFAULT", "EINVAL", "ENCONN", "ENSOCK", "ENOBUFS", "EPIPE", "SSL_KEYUPDATE",
  ]

  static func name(of code: Int) -> String? { names.indices.contains(code) ? names[code] : nil }
}
