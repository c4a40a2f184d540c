/*
 * certificates.c - makes keys and certificates with OpenSSL. They are for servers on loopback that
 * end with the process: nothing is stored, nothing is revoked.
 */
#include "fakes/wire/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY = 24 * 3600, SERIAL_BITS = 127 };

struct fake_authority {
  EVP_PKEY *key;
  X509 *certificate;
  char *pem;
};

/* The bytes of a memory BIO as a text of their own; NULL: no memory. Frees the BIO. */
static char *take_text(BIO *bio, size_t *length) {
  char *data;
  long size = BIO_get_mem_data(bio, &data);
  char *text = malloc((size_t)size + 1);
  if (text != NULL) {
    memcpy(text, data, (size_t)size);
    text[size] = '\0';
    *length = (size_t)size;
  }
  BIO_free(bio);
  return text;
}

static char *certificate_text(X509 *certificate, size_t *length) {
  BIO *bio = BIO_new(BIO_s_mem());
  if (bio == NULL || PEM_write_bio_X509(bio, certificate) != 1) {
    BIO_free(bio);
    return NULL;
  }
  return take_text(bio, length);
}

static char *key_text(EVP_PKEY *key, size_t *length) {
  BIO *bio = BIO_new(BIO_s_mem());
  if (bio == NULL || PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1) {
    BIO_free(bio);
    return NULL;
  }
  return take_text(bio, length);
}

static bool add_extension(X509 *certificate, X509 *issuer, int nid, const char *value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
  bool added = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

static bool set_serial(X509 *certificate) {
  BIGNUM *number = BN_new();
  bool set = number != NULL && BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) &&
             BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
  BN_free(number);
  return set;
}

/* A certificate that lacks only its extensions and its signature. */
static X509 *begin(EVP_PKEY *key, const char *name, const X509_NAME *issuer, long from, long to) {
  X509 *certificate = X509_new();
  if (certificate == NULL) {
    return NULL;
  }
  X509_NAME *subject = X509_get_subject_name(certificate);
  if (X509_set_version(certificate, 2) != 1 || !set_serial(certificate) ||
      X509_gmtime_adj(X509_getm_notBefore(certificate), from) == NULL ||
      X509_gmtime_adj(X509_getm_notAfter(certificate), to) == NULL ||
      X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1,
                                 0) != 1 ||
      X509_set_issuer_name(certificate, issuer == NULL ? subject : issuer) != 1 ||
      X509_set_pubkey(certificate, key) != 1) {
    X509_free(certificate);
    return NULL;
  }
  return certificate;
}

struct fake_authority *fake_authority_create(void) {
  struct fake_authority *authority = calloc(1, sizeof *authority);
  size_t length;
  if (authority == NULL) {
    return NULL;
  }
  authority->key = EVP_EC_gen("P-256");
  authority->certificate =
      authority->key == NULL
          ? NULL
          : begin(authority->key, "poolproof test authority", NULL, -DAY, 30L * DAY);
  X509 *own = authority->certificate;
  if (own == NULL || !add_extension(own, own, NID_basic_constraints, "critical,CA:TRUE") ||
      !add_extension(own, own, NID_key_usage, "critical,keyCertSign,cRLSign") ||
      !add_extension(own, own, NID_subject_key_identifier, "hash") ||
      X509_sign(own, authority->key, EVP_sha256()) == 0 ||
      (authority->pem = certificate_text(own, &length)) == NULL) {
    fake_authority_destroy(authority);
    return NULL;
  }
  return authority;
}

void fake_authority_destroy(struct fake_authority *authority) {
  if (authority != NULL) {
    EVP_PKEY_free(authority->key);
    X509_free(authority->certificate);
    free(authority->pem);
    free(authority);
  }
}

const char *fake_authority_pem(const struct fake_authority *authority) {
  return authority->pem;
}

static bool is_address(const char *host) {
  ASN1_OCTET_STRING *address = a2i_IPADDRESS(host);
  ASN1_OCTET_STRING_free(address);
  return address != NULL;
}

/* `names` as OpenSSL reads subjectAltName. */
static bool issue(const struct fake_authority *authority, const char *names,
                  enum fake_validity validity, struct fake_identity *identity) {
  long from = validity == FAKE_NOT_YET_VALID ? DAY : -2 * DAY;
  long to = validity == FAKE_EXPIRED ? -DAY : 10 * DAY;
  *identity = (struct fake_identity){0};
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *certificate = key == NULL ? NULL
                                  : begin(key, "poolproof test server",
                                          X509_get_subject_name(authority->certificate), from, to);
  if (certificate != NULL &&
      add_extension(certificate, authority->certificate, NID_subject_alt_name, names) &&
      add_extension(certificate, authority->certificate, NID_ext_key_usage, "serverAuth") &&
      X509_sign(certificate, authority->key, EVP_sha256()) != 0) {
    identity->certificate = certificate_text(certificate, &identity->certificate_length);
    identity->key = key_text(key, &identity->key_length);
  }
  X509_free(certificate);
  EVP_PKEY_free(key);
  if (identity->certificate == NULL || identity->key == NULL) {
    fake_identity_deinit(identity);
    return false;
  }
  return true;
}

enum { NAMES_SIZE = 320 };

bool fake_identity_issue(const struct fake_authority *authority, const char *host,
                         enum fake_validity validity, struct fake_identity *identity) {
  char names[NAMES_SIZE];
  host = validity == FAKE_FOR_ANOTHER_HOST ? "another.invalid" : host;
  snprintf(names, sizeof names, "%s:%s", is_address(host) ? "IP" : "DNS", host);
  return issue(authority, names, validity, identity);
}

bool fake_identity_issue_local(const struct fake_authority *authority, const char *host,
                               struct fake_identity *identity) {
  char names[NAMES_SIZE];
  snprintf(names, sizeof names, "%s:%s,DNS:localhost,IP:127.0.0.1", is_address(host) ? "IP" : "DNS",
           host);
  return issue(authority, names, FAKE_VALID, identity);
}

void fake_identity_deinit(struct fake_identity *identity) {
  free(identity->certificate);
  free(identity->key);
  *identity = (struct fake_identity){0};
}
