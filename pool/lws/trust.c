/*
 * trust.c - the TLS settings that all clients of a loop share: whose certificates are believed, and
 * which versions are spoken.
 *
 * libwebsockets could make them itself, but takes one certificate from memory, goes on without a
 * word when a file cannot be read, and leaks where a process has several of its contexts.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "pool/lws/internal.h"

/* Adds all certificates of `source`. False: there is none, or one of them cannot be read. */
static bool add_all(X509_STORE *store, BIO *source) {
  size_t count = 0;
  X509 *certificate;
  bool added = true;
  while (added && (certificate = PEM_read_bio_X509_AUX(source, NULL, NULL, NULL)) != NULL) {
    added = X509_STORE_add_cert(store, certificate) == 1;
    X509_free(certificate);
    count++;
  }
  added = added && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  return added && count > 0;
}

/* Adds what the options name. False: one of the sources has no certificate that can be read. */
static bool add_given(X509_STORE *store, const struct wsp_lws_options *options) {
  BIO *file = options->ca_file == NULL ? NULL : BIO_new_file(options->ca_file, "r");
  BIO *text = options->ca_pem == NULL
                  ? NULL
                  : BIO_new_mem_buf(options->ca_pem, (int)options->ca_pem_length);
  ERR_clear_error();
  bool added = (options->ca_file == NULL || (file != NULL && add_all(store, file))) &&
               (options->ca_pem == NULL || (text != NULL && add_all(store, text)));
  BIO_free(file);
  BIO_free(text);
  ERR_clear_error();
  return added;
}

enum wsp_error wsp_trust_load(struct wsp_lws *lws, const struct wsp_lws_options *options) {
  lws->tls = SSL_CTX_new(TLS_client_method());
  if (lws->tls == NULL) {
    return WSP_OUT_OF_MEMORY;
  }
  SSL_CTX_set_verify(lws->tls, SSL_VERIFY_PEER, NULL);
  SSL_CTX_set_min_proto_version(lws->tls, TLS1_2_VERSION);
  /* As libwebsockets sets them for its own: it moves buffers between tries, and writes parts. */
  SSL_CTX_set_mode(lws->tls, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                 SSL_MODE_RELEASE_BUFFERS);
  if (options->ca_file != NULL || options->ca_pem != NULL) {
    return add_given(SSL_CTX_get_cert_store(lws->tls), options) ? WSP_OK : WSP_INVALID_REQUEST;
  }
  (void)SSL_CTX_set_default_verify_paths(lws->tls); /* none there: nobody is believed */
  ERR_clear_error();
  return WSP_OK;
}

void wsp_trust_free(struct wsp_lws *lws) {
  SSL_CTX_free(lws->tls);
}
