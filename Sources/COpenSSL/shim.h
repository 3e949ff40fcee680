#ifndef GATEHOUSE_COPENSSL_H
#define GATEHOUSE_COPENSSL_H

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/ocsp.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

/* Macros of OpenSSL that Swift cannot import, each as a function of the same meaning. */
static inline long gh_ctx_set_mode(SSL_CTX *c, long m) { return SSL_CTX_set_mode(c, m); }
static inline int gh_ctx_set_min_version(SSL_CTX *c, int v) { return (int)SSL_CTX_set_min_proto_version(c, v); }
static inline int gh_ctx_set_max_version(SSL_CTX *c, int v) { return (int)SSL_CTX_set_max_proto_version(c, v); }
static inline int gh_set_min_version(SSL *s, int v) { return (int)SSL_set_min_proto_version(s, v); }
static inline int gh_set_max_version(SSL *s, int v) { return (int)SSL_set_max_proto_version(s, v); }
static inline int gh_ctx_set_curves(SSL_CTX *c, const char *l) { return (int)SSL_CTX_set1_curves_list(c, l); }
static inline int gh_ctx_set_sigalgs(SSL_CTX *c, const char *l) { return (int)SSL_CTX_set1_sigalgs_list(c, l); }
static inline int gh_ctx_set_client_sigalgs(SSL_CTX *c, const char *l) {
  return (int)SSL_CTX_set1_client_sigalgs_list(c, l);
}
static inline long gh_ctx_set_cache_mode(SSL_CTX *c, long m) { return SSL_CTX_set_session_cache_mode(c, m); }
static inline long gh_ctx_set_cache_size(SSL_CTX *c, long n) { return SSL_CTX_sess_set_cache_size(c, n); }
static inline void gh_ctx_set_read_ahead(SSL_CTX *c, int on) { SSL_CTX_set_read_ahead(c, on); }
static inline int gh_ctx_add1_chain(SSL_CTX *c, X509 *x) { return (int)SSL_CTX_add1_chain_cert(c, x); }
static inline int gh_ctx_clear_chain(SSL_CTX *c) { return (int)SSL_CTX_clear_chain_certs(c); }
static inline int gh_ctx_set1_verify_store(SSL_CTX *c, X509_STORE *s) {
  return (int)SSL_CTX_set1_verify_cert_store(c, s);
}
static inline int gh_set1_verify_store(SSL *c, X509_STORE *s) { return (int)SSL_set1_verify_cert_store(c, s); }
static inline int gh_set_host_name(SSL *s, const char *n) { return (int)SSL_set_tlsext_host_name(s, n); }
static inline int gh_ctx_set_status_cb(SSL_CTX *c, int (*cb)(SSL *, void *)) {
  return (int)SSL_CTX_set_tlsext_status_cb(c, cb);
}
static inline int gh_set_status_response(SSL *s, unsigned char *p, int n) {
  return (int)SSL_set_tlsext_status_ocsp_resp(s, p, n);
}
static inline int gh_ctx_set_ticket_keys(SSL_CTX *c, unsigned char *p, int n) {
  return (int)SSL_CTX_set_tlsext_ticket_keys(c, p, n);
}
static inline int gh_set_max_fragment(SSL *s, long n) { return (int)SSL_set_max_send_fragment(s, n); }
static inline void *gh_malloc(size_t n) { return OPENSSL_malloc(n); }
static inline void gh_free(void *p) { OPENSSL_free(p); }
static inline const char *gh_cipher_name(SSL *s) { return SSL_get_cipher_name(s); }
/* The library looks into the session without looking whether there is one: after a failed handshake there is none. */
static inline const char *gh_group_name(SSL *s) {
  if (!SSL_get_session(s)) return 0;
  int nid = (int)SSL_get_negotiated_group(s);
  return nid ? OBJ_nid2sn(nid) : 0;
}

static inline int gh_ctx_set_dh_auto(SSL_CTX *c) { return (int)SSL_CTX_set_dh_auto(c, 1); }
static inline EVP_PKEY *gh_dh_parameters(const unsigned char *p, long n) {
  return d2i_KeyParams(EVP_PKEY_DH, 0, &p, n);
}
static inline int gh_set_curves(SSL *s, const char *l) { return (int)SSL_set1_curves_list(s, l); }
static inline int gh_is_resumable(const SSL_SESSION *s) { return SSL_SESSION_is_resumable(s); }

/* The session object of ours that owns an SSL. */
static inline int gh_set_owner(SSL *s, void *p) { return SSL_set_app_data(s, p); }
static inline void *gh_owner(const SSL *s) { return SSL_get_app_data((SSL *)s); }
static inline int gh_ctx_set_owner(SSL_CTX *c, void *p) { return SSL_CTX_set_app_data(c, p); }
static inline void *gh_ctx_owner(SSL_CTX *c) { return SSL_CTX_get_app_data(c); }
static inline SSL *gh_store_ctx_ssl(X509_STORE_CTX *c) {
  return (SSL *)X509_STORE_CTX_get_ex_data(c, SSL_get_ex_data_X509_STORE_CTX_idx());
}

static inline void gh_bio_retry_read(BIO *b) { BIO_set_retry_read(b); }
static inline void gh_bio_clear_retry(BIO *b) { BIO_clear_retry_flags(b); }
static inline long gh_bio_mem_data(BIO *b, char **p) { return BIO_get_mem_data(b, p); }

static inline int gh_err_reason(unsigned long e) { return ERR_GET_REASON(e); }
static inline int gh_err_lib(unsigned long e) { return ERR_GET_LIB(e); }

static inline int gh_general_names_count(const GENERAL_NAMES *n) { return sk_GENERAL_NAME_num(n); }
static inline GENERAL_NAME *gh_general_name(const GENERAL_NAMES *n, int i) { return sk_GENERAL_NAME_value(n, i); }
static inline int gh_general_name_type(const GENERAL_NAME *n) { return n->type; }
static inline ASN1_STRING *gh_general_name_string(const GENERAL_NAME *n) {
  return (n->type == GEN_DNS || n->type == GEN_EMAIL || n->type == GEN_URI) ? n->d.ia5
         : n->type == GEN_IPADD                                             ? n->d.ip
                                                                            : 0;
}
static inline void gh_general_names_free(GENERAL_NAMES *n) { GENERAL_NAMES_free(n); }
static inline int gh_x509_count(const STACK_OF(X509) * s) { return s ? sk_X509_num(s) : 0; }
static inline X509 *gh_x509_at(const STACK_OF(X509) * s, int i) { return sk_X509_value(s, i); }
static inline STACK_OF(X509_NAME) * gh_name_stack(void) { return sk_X509_NAME_new_null(); }
static inline int gh_name_stack_push(STACK_OF(X509_NAME) * s, X509_NAME *n) { return sk_X509_NAME_push(s, n); }
static inline int gh_policies_count(const CERTIFICATEPOLICIES *p) { return sk_POLICYINFO_num(p); }
static inline const ASN1_OBJECT *gh_policy_at(const CERTIFICATEPOLICIES *p, int i) {
  return sk_POLICYINFO_value(p, i)->policyid;
}
static inline void gh_policies_free(CERTIFICATEPOLICIES *p) { CERTIFICATEPOLICIES_free(p); }
static inline int gh_string_count(const STACK_OF(OPENSSL_STRING) * s) { return sk_OPENSSL_STRING_num(s); }
static inline const char *gh_string_at(const STACK_OF(OPENSSL_STRING) * s, int i) {
  return sk_OPENSSL_STRING_value(s, i);
}
static inline int gh_i2d_OCSP_CERTID(OCSP_CERTID *o, unsigned char **p) { return i2d_OCSP_CERTID(o, p); }
static inline int gh_i2d_OCSP_REQUEST(OCSP_REQUEST *o, unsigned char **p) { return i2d_OCSP_REQUEST(o, p); }
static inline int gh_revoked_count(X509_CRL *c) { return sk_X509_REVOKED_num(X509_CRL_get_REVOKED(c)); }
static inline X509_REVOKED *gh_revoked_at(X509_CRL *c, int i) {
  return sk_X509_REVOKED_value(X509_CRL_get_REVOKED(c), i);
}
static inline int gh_rsa_padding(EVP_PKEY_CTX *c, int p) { return EVP_PKEY_CTX_set_rsa_padding(c, p); }
static inline int gh_rsa_pss_saltlen(EVP_PKEY_CTX *c, int n) { return EVP_PKEY_CTX_set_rsa_pss_saltlen(c, n); }
static inline int gh_rsa_oaep_md(EVP_PKEY_CTX *c, const EVP_MD *m) { return EVP_PKEY_CTX_set_rsa_oaep_md(c, m); }
static inline int gh_rsa_mgf1_md(EVP_PKEY_CTX *c, const EVP_MD *m) { return EVP_PKEY_CTX_set_rsa_mgf1_md(c, m); }
static inline EVP_PKEY *gh_ec_gen(const char *curve) { return EVP_EC_gen(curve); }
static inline EVP_PKEY *gh_rsa_gen(unsigned int bits) { return EVP_RSA_gen(bits); }

/* Functions whose OpenSSL constants are macros with casts. */
#define GH_OP_ALL ((uint64_t)SSL_OP_ALL)
enum { GH_KEYPAIR = EVP_PKEY_KEYPAIR };
enum {
  GH_HELLO_SUCCESS = SSL_CLIENT_HELLO_SUCCESS,
  GH_HELLO_ERROR = SSL_CLIENT_HELLO_ERROR,
};
static inline uint64_t gh_no_anti_replay(void) { return SSL_OP_NO_ANTI_REPLAY; }
static inline uint64_t gh_server_options(int prefer_client, int no_tickets) {
  uint64_t o = SSL_OP_ALL | SSL_OP_NO_COMPRESSION | SSL_OP_SINGLE_DH_USE | SSL_OP_SINGLE_ECDH_USE |
               SSL_OP_NO_RENEGOTIATION;
  if (!prefer_client) o |= SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA;
  if (no_tickets) o |= SSL_OP_NO_TICKET;
  return o;
}
static inline uint64_t gh_client_options(int no_tickets, int renegotiates) {
  uint64_t o = SSL_OP_ALL | SSL_OP_NO_COMPRESSION;
  if (!renegotiates) o |= SSL_OP_NO_RENEGOTIATION;
  if (no_tickets) o |= SSL_OP_NO_TICKET;
  return o;
}

#endif
