/* SPDX-License-Identifier: BSD-3-Clause */
#include "loaded.h"

#include "../test.h"

const char loaded_minimal[] =
	"node: {name: ep1.home1.net}\n"					   /* 1 */
	"realms: [{domain: home1.net}]\n"				   /* 2 */
	"ports: [{name: access, addresses: [198.18.0.10/24]}]\n"	   /* 3 */
	"access:\n"							   /* 4 */
	"  listen: [{port: access}]\n"					   /* 5 */
	"  tls: {certificates: [{certificate: cert.pem, key: key.pem}]}\n" /* 6 */
	"mw:\n"								   /* 7 */
	"  next_hops: [{uri: \"sip:198.18.0.20;transport=tcp\"}]\n"	   /* 8 */
	"  trusted: [198.18.0.20]\n"					   /* 9 */
	"issuers:\n"							   /* 10 */
	"  - name: shop-waf\n"						   /* 11 */
	"    iss: \"https://waf.shop.example\"\n"			   /* 12 */
	"    jwks: \"file:shop.jwks\"\n"				   /* 13 */
	"    authz_server: \"https://waf.shop.example\"\n"		   /* 14 */
	"wwsf:\n"							   /* 15 */
	"  - name: shop\n"						   /* 16 */
	"    issuer: shop-waf\n"					   /* 17 */
	"    origins: [\"https://shop.example\"]\n"			   /* 18 */
	"    identities: {file: shop-pairs.csv}\n";			   /* 19 */

void loaded_load(struct loaded *l, const char *text)
{
	folder_write(&l->folder, "wicgate.yaml", text);
	l->problems = problems_new();
	l->config = config_load(folder_path(&l->folder, "wicgate.yaml"), l->problems);
}

void loaded_begin(struct loaded *l, const char *text)
{
	folder_make(&l->folder);
	loaded_load(l, text);
}

void loaded_end(struct loaded *l)
{
	config_free(l->config);
	problems_free(l->problems);
	folder_remove(&l->folder);
}

const char *loaded_problem(const struct loaded *l, uint32_t i)
{
	assert_true(i < problems_count(l->problems));
	return problems_text(l->problems, i) + strlen(l->folder.path) + 1;
}

void loaded_expect_refused(const char *text, const char *from, const char *to, const char *reason)
{
	char *changed = folder_replace(text, from, to);
	const char *first;
	struct loaded l;
	char *said;

	loaded_begin(&l, changed);
	assert_null(l.config);
	first = loaded_problem(&l, 0);
	said = strstr(first, l.folder.path) != NULL ? folder_replace(first, l.folder.path, "DIR")
						    : strdup(first);
	EXPECT_TEXT(reason, said);
	if (problems_count(l.problems) != 1)
		problems_print(l.problems, stderr);
	EXPECT_EQ(1, problems_count(l.problems));
	free(said);
	free(changed);
	loaded_end(&l);
}
