/* SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>

#include "../test.h"
#include "control/named.h"
#include "control/publish.h"
#include "identity/pattern.h"
#include "loaded.h"

/* What the core says the wildcards of a block are, against the configured one (D-26). */

#define ACME \
	"  - name: acme\n" \
	"    issuer: shop-waf\n" \
	"    mode: block\n" \
	"    origins: [\"https://acme.example\"]\n" \
	"    identities:\n" \
	"      wildcard: \"sip:acme-!.*!@home1.net\"\n" \
	"      registering: {impi: b@ims.home1.net, impu: \"sip:b@HOME1.net\"}\n"
#define CONFIGURED "sip:acme-!.*!@home1.net\n"
#define NUMBERS "sip:acme-!%5B0-9%5d+!@home1.net\n"
#define LETTERS "sip:acme-![a-z]+!@home1.net\n"
#define ACME_SITE 1u

static struct scene {
	struct loaded loaded;
	uv_loop_t loop;
	struct log *log;
	char log_text[16384];
	struct named *named;
	struct pattern_part *part; /* as last published */
	uint32_t published, failures;
} scene;

static const struct config *live(void *context)
{
	return scene.loaded.config;
}

static enum gw_err publish(void *context)
{
	struct pattern_part *before = scene.part;

	if (scene.failures > 0) {
		scene.failures--;
		return GW_QUEUE_FULL;
	}
	scene.published++;
	scene.part = publish_patterns(scene.loaded.config, scene.named);
	if (before != NULL)
		before->part.free(&before->part);
	return GW_OK;
}

static void begin(void)
{
	struct named_config config = {.loop = &scene.loop, .live = live, .publish = publish};
	char text[LOADED_MAX];
	struct log_config log = {.level = LOG_LEVEL_DEBUG, .rate = 1000};

	memset(&scene, 0, sizeof(scene));
	strcpy(text, loaded_minimal);
	strcat(text, ACME);
	loaded_begin(&scene.loaded, text);
	assert_non_null(scene.loaded.config);
	uv_loop_init(&scene.loop);
	log.fd = open(folder_path(&scene.loaded.folder, "log"), O_RDWR | O_CREAT | O_APPEND, 0600);
	config.log = scene.log = log_new(&log);
	scene.named = named_new(&config);
	EXPECT_EQ(GW_OK, publish(NULL));
	scene.published = 0;
}

static void end(void)
{
	scene.part->part.free(&scene.part->part);
	named_close(scene.named);
	uv_run(&scene.loop, UV_RUN_DEFAULT);
	EXPECT_EQ(0, uv_loop_close(&scene.loop));
	log_free(scene.log);
	loaded_end(&scene.loaded);
}

struct word {
	enum block_named_by by;
	const char *uris, *wwsf; /* wwsf NULL: acme */
	bool more;
	uint64_t pair;
};

/** A worker has heard so. */
static void hears(struct word word)
{
	struct {
		struct message_block_named head;
		char uris[4 * BLOCK_NAMED_MAX];
	} m = {.head = {.by = word.by, .more = word.more, .pair = word.pair}};
	uint32_t len = (uint32_t)(sizeof(m.head) + strlen(word.uris));

	m.head.head = (struct message_head){MESSAGE_BLOCK_NAMED, len};
	strcpy(m.head.wwsf, word.wwsf != NULL ? word.wwsf : "acme");
	strcpy((char *)&m + sizeof(m.head), word.uris);
	EXPECT(named_message(scene.named, span_of(&m, len)));
}

/** And it is read. */
static void heard(struct word word)
{
	hears(word);
	uv_run(&scene.loop, UV_RUN_DEFAULT);
}

static bool has(const char *text)
{
	struct identity id;

	EXPECT_EQ(GW_OK, identity_impu(span_text(text), &id));
	return pattern_has(scene.part, 0, ACME_SITE, &id);
}

static void expect_has(bool number, bool letter)
{
	EXPECT_EQ(number, has("sip:acme-7@home1.net"));
	EXPECT_EQ(letter, has("sip:acme-x@home1.net"));
	EXPECT(!has("sip:acme7@home1.net")); /* that is not configured */
}

static void expect_state(const char *state)
{
	EXPECT_TEXT(state, named_state(scene.named, SPAN("acme")));
}

static void expect_logged(const char *part, uint32_t times)
{
	FILE *in = fopen(folder_path(&scene.loaded.folder, "log"), "r");
	uint32_t found = 0;

	scene.log_text[fread(scene.log_text, 1, sizeof(scene.log_text) - 1, in)] = '\0';
	fclose(in);
	for (const char *at = scene.log_text; (at = strstr(at, part)) != NULL; at++)
		found++;
	if (found != times)
		fail_msg("%u times \"%s\" in:\n%s", found, part, scene.log_text);
}

/** The configuration is read again, with from replaced by to. */
static void reload(const char *from, const char *to)
{
	char text[LOADED_MAX], *changed;

	strcpy(text, loaded_minimal);
	strcat(text, ACME);
	changed = folder_replace(text, from, to);
	config_free(scene.loaded.config);
	problems_free(scene.loaded.problems);
	loaded_load(&scene.loaded, changed);
	assert_non_null(scene.loaded.config);
	free(changed);
	EXPECT_EQ(GW_OK, publish(NULL)); /* all parts are published together */
	named_configure(scene.named);
}

TEST(named, is_nothing_at_first)
{
	begin();
	expect_state("none");
	expect_has(true, true);
	EXPECT_TEXT("none", named_state(NULL, SPAN("acme")));
	end();
}

TEST(named, as_it_is_configured_sets_no_bound)
{
	begin();
	heard((struct word){.by = BLOCK_NAMED_BY_RESPONSE, .uris = "sip:acme-!.*!@HOME1.net\n"});
	expect_state("configured");
	expect_has(true, true);
	expect_logged("level=info event=block_named wwsf=acme by=response wildcards=1 "
		      "state=configured",
		      1);
	end();
}

TEST(named, otherwise_narrows_the_configured_one)
{
	begin();
	heard((struct word){.by = BLOCK_NAMED_BY_RESPONSE, .uris = NUMBERS});
	expect_state("narrowed");
	expect_has(true, false);
	EXPECT_EQ(1, scene.published);
	expect_logged("level=warning event=block_named wwsf=acme by=response wildcards=1 "
		      "state=narrowed",
		      1);
	heard((struct word){.by = BLOCK_NAMED_BY_RESPONSE, .uris = "sip:other-!.*!@home1.net\n"});
	expect_has(false, false);
	heard((struct word){.by = BLOCK_NAMED_BY_RESPONSE, .uris = NUMBERS LETTERS});
	expect_has(true, true);
	expect_state("narrowed");
	EXPECT(!has("sip:acme-7x@home1.net"));
	end();
}

TEST(named, is_what_both_ways_name)
{
	begin();
	heard((struct word){.by = BLOCK_NAMED_BY_RESPONSE, .uris = NUMBERS});
	heard((struct word){.by = BLOCK_NAMED_BY_EVENT, .uris = LETTERS});
	expect_has(false, false);
	heard((struct word){.by = BLOCK_NAMED_BY_EVENT, .uris = CONFIGURED});
	expect_has(true, false);
	expect_state("narrowed");
	heard((struct word){.by = BLOCK_NAMED_BY_RESPONSE, .uris = ""});
	expect_has(true, true);
	expect_state("configured");
	heard((struct word){.by = BLOCK_NAMED_BY_EVENT, .uris = ""});
	expect_state("none");
	end();
}

TEST(named, beside_the_configured_one_sets_no_bound)
{
	begin();
	heard((struct word){.by = BLOCK_NAMED_BY_EVENT, .uris = LETTERS CONFIGURED});
	expect_has(true, true);
	expect_state("configured");
	end();
}

TEST(named, once_more_is_no_news)
{
	begin();
	heard((struct word){.by = BLOCK_NAMED_BY_EVENT, .uris = LETTERS});
	heard((struct word){.by = BLOCK_NAMED_BY_EVENT, .uris = LETTERS});
	EXPECT_EQ(1, scene.published);
	heard((struct word){.by = BLOCK_NAMED_BY_EVENT, .uris = LETTERS, .more = true});
	EXPECT_EQ(2, scene.published);
	expect_state("unread");
	end();
}

/* its registering pair has changed, and with it its home worker: their rings say nothing of order
 */
TEST(named, counts_when_the_end_of_the_block_before_is_heard_behind_it)
{
	begin();
	heard((struct word){.by = BLOCK_NAMED_BY_EVENT, .uris = LETTERS, .pair = 1});
	heard((struct word){.by = BLOCK_NAMED_BY_EVENT, .uris = NUMBERS, .pair = 2});
	heard((struct word){.by = BLOCK_NAMED_BY_EVENT, .uris = "", .pair = 1});
	expect_has(true, false);
	heard((struct word){.by = BLOCK_NAMED_BY_EVENT, .uris = "", .pair = 2});
	expect_has(true, true);
	end();
}

TEST(named, is_told_for_each_way_and_seen_for_both)
{
	begin();
	heard((struct word){.by = BLOCK_NAMED_BY_RESPONSE, .uris = "sip:acme-!(!@home1.net\n"});
	heard((struct word){.by = BLOCK_NAMED_BY_EVENT, .uris = CONFIGURED});
	expect_logged("level=warning event=block_named wwsf=acme by=response wildcards=1 "
		      "state=unread",
		      1);
	expect_logged("level=info event=block_named wwsf=acme by=event wildcards=1 "
		      "state=configured",
		      1);
	expect_state("unread");
	end();
}

TEST(named, that_cannot_be_read_or_compiled_is_told_and_sets_no_bound)
{
	static const struct {
		const char *uri, *why;
	} rows[] = {
		{"sip:acme-!(!@home1.net\n", "why=\"'(' without ')'\""},
		{"sip:acme-!.*!@home1.net;x=y\n", "no parameters"},
		{LETTERS "sip:acme-!%00!@home1.net\n", "state=unread"},
		{"sip:acme-!.{0,200}a.{0,200}!@home1.net\n", "becomes too large"},
		{"!\n", "state=unread"},
		{"\n", "state=unread"},
	};

	for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin();
		heard((struct word){.by = BLOCK_NAMED_BY_RESPONSE, .uris = rows[i].uri});
		expect_state("unread");
		expect_has(true, true);
		expect_logged(rows[i].why, 1);
		end();
	}
}

TEST(named, more_than_is_kept_sets_no_bound)
{
	char many[2 * BLOCK_NAMED_MAX] = "";

	begin();
	heard((struct word){.by = BLOCK_NAMED_BY_RESPONSE, .uris = NUMBERS, .more = true});
	expect_state("unread");
	expect_has(true, true);
	expect_logged("why=\"too many\"", 1);
	heard((struct word){.by = BLOCK_NAMED_BY_RESPONSE, .uris = "", .more = true});
	expect_state("unread");
	expect_logged("wildcards=0 state=unread why=\"too many\"", 1);
	for (uint32_t i = 0; i < NAMED_MAX; i++)
		sprintf(many + strlen(many), "tel:+49%05u!.*!\n", i);
	heard((struct word){.by = BLOCK_NAMED_BY_RESPONSE, .uris = many});
	expect_state("narrowed");
	expect_has(false, false);
	strcat(many, NUMBERS);
	heard((struct word){.by = BLOCK_NAMED_BY_RESPONSE, .uris = many});
	expect_logged("why=\"too many\"", 3);
	expect_has(true, true);
	memset(many, '!', BLOCK_NAMED_MAX + 1);
	heard((struct word){.by = BLOCK_NAMED_BY_EVENT, .uris = many}); /* no worker says so much */
	EXPECT_EQ(4, scene.published);
	end();
}

TEST(named, of_a_web_site_that_has_no_block_sets_no_bound)
{
	begin();
	heard((struct word){.by = BLOCK_NAMED_BY_RESPONSE, .uris = NUMBERS, .wwsf = "nobody"});
	heard((struct word){.by = (enum block_named_by)7, .uris = NUMBERS});
	EXPECT_EQ(0, scene.published);
	heard((struct word){.by = BLOCK_NAMED_BY_RESPONSE, .uris = NUMBERS, .wwsf = "shop"});
	expect_has(true, true);
	end();
}

TEST(named, is_compared_with_what_a_reload_configures)
{
	begin();
	heard((struct word){.by = BLOCK_NAMED_BY_RESPONSE, .uris = NUMBERS});
	expect_has(true, false);
	reload("acme-!.*!@", "acme-![0-9]+!@");
	expect_state("configured");
	expect_has(true, false);
	reload("acme-!.*!@", "acme-![a-z0-9]+!@");
	expect_state("narrowed");
	expect_has(true, false);
	reload("name: acme", "name: other");
	expect_state("none");
	expect_has(true, true);
	reload("name: acme", "name: acme");
	expect_has(true, true); /* its block was down meanwhile: the core names it again */
	end();
}

TEST(named, while_others_are_read_waits_and_the_last_word_counts)
{
	begin();
	hears((struct word){.by = BLOCK_NAMED_BY_RESPONSE, .uris = LETTERS});
	hears((struct word){.by = BLOCK_NAMED_BY_EVENT, .uris = CONFIGURED});
	hears((struct word){.by = BLOCK_NAMED_BY_RESPONSE, .uris = NUMBERS});
	expect_has(true, true);
	while (uv_run(&scene.loop, UV_RUN_ONCE) != 0)
		EXPECT(has("sip:acme-7@home1.net")); /* at no time letters alone */
	expect_has(true, false);
	end();
}

TEST(named, while_it_is_read_and_then_no_more_is_never_live)
{
	begin();
	hears((struct word){.by = BLOCK_NAMED_BY_RESPONSE, .uris = LETTERS});
	hears((struct word){.by = BLOCK_NAMED_BY_RESPONSE, .uris = ""});
	uv_run(&scene.loop, UV_RUN_DEFAULT);
	expect_has(true, true);
	expect_state("none");
	expect_logged("event=block_named", 0);
	end();
}

TEST(named, of_a_web_site_that_goes_while_it_is_read_is_forgotten)
{
	begin();
	hears((struct word){.by = BLOCK_NAMED_BY_RESPONSE, .uris = NUMBERS});
	reload("name: acme", "name: other");
	uv_run(&scene.loop, UV_RUN_DEFAULT);
	expect_state("none");
	expect_has(true, true);
	end();
}

TEST(named, is_published_again_when_it_could_not_be)
{
	begin();
	scene.failures = 2;
	heard((struct word){.by = BLOCK_NAMED_BY_RESPONSE, .uris = NUMBERS});
	expect_has(true, true);
	named_tick(scene.named);
	expect_has(true, true);
	named_tick(scene.named);
	expect_has(true, false);
	named_tick(scene.named);
	EXPECT_EQ(1, scene.published);
	end();
}

TEST(named, is_given_up_when_the_node_stops)
{
	begin();
	hears((struct word){.by = BLOCK_NAMED_BY_RESPONSE, .uris = NUMBERS});
	end();
	EXPECT_EQ(0, scene.published);
}

TEST(named, takes_no_other_message)
{
	struct message_event other = {.head = {MESSAGE_EVENT, sizeof(other)}};
	struct message_head head = {MESSAGE_BLOCK_NAMED, sizeof(head)};

	begin();
	EXPECT(!named_message(scene.named, span_of(&other, sizeof(other))));
	EXPECT(!named_message(scene.named, span_of(&head, sizeof(head))));
	end();
}

TEST_MAIN("named", RUN(named, is_nothing_at_first), RUN(named, as_it_is_configured_sets_no_bound),
	  RUN(named, otherwise_narrows_the_configured_one), RUN(named, is_what_both_ways_name),
	  RUN(named, beside_the_configured_one_sets_no_bound), RUN(named, once_more_is_no_news),
	  RUN(named, counts_when_the_end_of_the_block_before_is_heard_behind_it),
	  RUN(named, is_told_for_each_way_and_seen_for_both),
	  RUN(named, that_cannot_be_read_or_compiled_is_told_and_sets_no_bound),
	  RUN(named, more_than_is_kept_sets_no_bound),
	  RUN(named, of_a_web_site_that_has_no_block_sets_no_bound),
	  RUN(named, is_compared_with_what_a_reload_configures),
	  RUN(named, while_others_are_read_waits_and_the_last_word_counts),
	  RUN(named, while_it_is_read_and_then_no_more_is_never_live),
	  RUN(named, of_a_web_site_that_goes_while_it_is_read_is_forgotten),
	  RUN(named, is_published_again_when_it_could_not_be),
	  RUN(named, is_given_up_when_the_node_stops), RUN(named, takes_no_other_message))
