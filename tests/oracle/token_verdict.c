/* SPDX-License-Identifier: BSD-3-Clause */
#include <jwt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/keys.h"
#include "relying.h"

/*
 * token_verdict NOW < lines "ALG KEY TOKEN" > lines "JWS WHOLE LIBJWT"
 *
 * What we say of tokens at the Unix time NOW, for scripts that know better. ALG is the algorithm
 * that the issuer allows, or "all"; KEY.jwks has its keys, KEY.pem the one for libjwt, where there
 * is one; TOKEN is all of the rest of the line. JWS and WHOLE are names of enum gw_err: of the JWS
 * layer alone and of the whole pipeline. LIBJWT is "yes", "no", or "-" without a key.
 */

/** What was read of the files of a key, kept for the next line. */
struct trusted {
	struct trusted *next;
	char *alg, *key;
	struct relying *relying;
	unsigned char *pem;
	int pem_len;
};

static void die(const char *why, const char *what)
{
	fprintf(stderr, "token_verdict: %s: %s\n", why, what);
	exit(2);
}

static char *path_of(const char *key, const char *ending)
{
	char *path;

	if (asprintf(&path, "%s%s", key, ending) < 0)
		die("no memory", key);
	return path;
}

static void pem_read(struct trusted *t)
{
	char *path = path_of(t->key, ".pem");
	FILE *file = fopen(path, "rb");

	free(path);
	if (file == NULL)
		return;
	t->pem = malloc(8192);
	if (t->pem == NULL)
		die("no memory", t->key);
	t->pem_len = (int)fread(t->pem, 1, 8192, file);
	fclose(file);
}

static struct trusted *trusted_new(const char *alg, const char *key)
{
	struct trusted *t = calloc(1, sizeof(*t));
	enum jws_alg one = JWS_ES256;
	bool all = strcmp(alg, "all") == 0;
	char *path = path_of(key, ".jwks");

	if (t == NULL)
		die("no memory", key);
	if (!all && !keys_algorithm(alg, &one))
		die("no such algorithm", alg);
	t->alg = path_of(alg, "");
	t->key = path_of(key, "");
	t->relying = relying_new(path, all ? RELYING_ALL : 1u << one);
	pem_read(t);
	free(path);
	return t;
}

static void trusted_free(struct trusted *t)
{
	while (t != NULL) {
		struct trusted *next = t->next;

		relying_free(t->relying);
		free(t->pem);
		free(t->key);
		free(t->alg);
		free(t);
		t = next;
	}
}

static struct trusted *trusted_find(struct trusted **list, const char *alg, const char *key)
{
	struct trusted *t = *list;

	while (t != NULL && (strcmp(t->alg, alg) != 0 || strcmp(t->key, key) != 0))
		t = t->next;
	if (t == NULL) {
		t = trusted_new(alg, key);
		t->next = *list;
		*list = t;
	}
	return t;
}

/* As careful a user as libjwt has: the issuer's key, and the algorithm that the token says. */
static const char *libjwt_verdict(const struct trusted *t, const char *token)
{
	jwt_t *jwt = NULL;
	int refused;

	if (t->pem == NULL)
		return "-";
	refused = jwt_decode(&jwt, token, t->pem, t->pem_len);
	jwt_free(jwt);
	return refused == 0 ? "yes" : "no";
}

static void line_answer(struct trusted **list, char *line, uint64_t now_s)
{
	char *alg = strsep(&line, " "), *key = strsep(&line, " ");
	struct span token;
	struct trusted *t;
	enum gw_err jws, whole;

	if (line == NULL)
		die("not ALG KEY TOKEN", alg);
	t = trusted_find(list, alg, key);
	token = span_text(line);
	jws = relying_jws(t->relying, token);
	whole = relying_whole(t->relying, token, now_s);
	printf("%s %s %s\n", gw_err_name(jws), gw_err_name(whole), libjwt_verdict(t, line));
}

int main(int argc, char **argv)
{
	struct trusted *list = NULL;
	char *line = NULL;
	size_t room = 0;
	ssize_t len;

	if (argc != 2)
		die("usage", "token_verdict NOW");
	while ((len = getline(&line, &room, stdin)) > 0) {
		line[len - 1] = '\0';
		line_answer(&list, line, strtoull(argv[1], NULL, 10));
	}
	free(line);
	trusted_free(list);
	return 0;
}
