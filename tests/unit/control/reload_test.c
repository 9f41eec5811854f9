/* SPDX-License-Identifier: BSD-3-Clause */
#include "../test.h"
#include "control/reload.h"
#include "loaded.h"

/** A loop, a live configuration, and what reloads have come to. */
struct scene {
	struct loaded loaded;
	uv_loop_t loop;
	struct reload *reload;
	char path[96]; /* outlives every configuration */
	uint32_t taken, refused, ended;
	uint32_t errors; /* of the last one */
	struct cli_request *request;
};

/** Nobody looks into a request here. */
static struct cli_request *const asker = (struct cli_request *)8;

static const struct config *live(void *context)
{
	return ((struct scene *)context)->loaded.config;
}

static void take(void *context, struct config *next_owned, struct problems *problems)
{
	struct scene *s = context;

	s->refused += next_owned == NULL;
	if (next_owned == NULL)
		return;
	s->taken++;
	config_free(s->loaded.config);
	s->loaded.config = next_owned;
}

static void done(void *context, const struct problems *problems, struct cli_request *request)
{
	struct scene *s = context;

	s->ended++;
	s->request = request;
	s->errors = problems_errors(problems);
}

static void begin(struct scene *s)
{
	struct reload_config config = {
		.loop = &s->loop, .live = live, .take = take, .done = done, .context = s};

	*s = (struct scene){0};
	loaded_begin(&s->loaded, loaded_minimal);
	assert_non_null(s->loaded.config);
	config.path = strcpy(s->path, s->loaded.config->file);
	uv_loop_init(&s->loop);
	s->reload = reload_new(&config);
	assert_non_null(s->reload);
}

static void end(struct scene *s)
{
	reload_close(s->reload);
	uv_run(&s->loop, UV_RUN_DEFAULT);
	EXPECT_EQ(0, uv_loop_close(&s->loop));
	loaded_end(&s->loaded);
}

TEST(reload, takes_the_configuration_over_on_the_loop)
{
	const struct pairs *pairs;
	struct scene s;

	begin(&s);
	pairs = config_wwsf(s.loaded.config, 0)->pairs;
	EXPECT(reload_begin(s.reload, asker));
	EXPECT_EQ(0, s.taken);
	uv_run(&s.loop, UV_RUN_DEFAULT);
	EXPECT_EQ(1, s.taken);
	EXPECT_EQ(1, s.ended);
	EXPECT_EQ(0, s.errors);
	EXPECT(s.request == asker);
	EXPECT(config_wwsf(s.loaded.config, 0)->pairs == pairs); /* not read again */
	end(&s);
}

TEST(reload, tells_what_is_wrong_and_changes_nothing)
{
	struct scene s;

	begin(&s);
	folder_write(&s.loaded.folder, "shop-pairs.csv", "alice\nbob\n");
	EXPECT(reload_begin(s.reload, asker));
	uv_run(&s.loop, UV_RUN_DEFAULT);
	EXPECT_EQ(1, s.refused);
	EXPECT_EQ(2, s.errors);
	EXPECT_EQ(1, pairs_about(config_wwsf(s.loaded.config, 0)->pairs).count);
	end(&s);
}

TEST(reload, is_one_at_a_time_and_a_signal_is_not_forgotten)
{
	struct scene s;

	begin(&s);
	EXPECT(reload_begin(s.reload, asker));
	EXPECT(!reload_begin(s.reload, asker));
	uv_run(&s.loop, UV_RUN_DEFAULT);
	EXPECT_EQ(1, s.ended); /* who was told "busy" asks again */
	EXPECT(reload_begin(s.reload, asker));
	EXPECT(!reload_begin(s.reload, NULL));
	EXPECT(!reload_begin(s.reload, NULL));
	folder_write(&s.loaded.folder, "shop-pairs.csv", "a@h,sip:a@h\nb@h,sip:b@h\n");
	uv_run(&s.loop, UV_RUN_DEFAULT);
	EXPECT_EQ(3, s.ended);
	EXPECT(s.request == NULL);
	EXPECT_EQ(2, pairs_about(config_wwsf(s.loaded.config, 0)->pairs).count);
	end(&s);
}

TEST(reload, that_is_under_way_when_the_node_stops_is_refused)
{
	struct scene s;

	begin(&s);
	EXPECT(reload_begin(s.reload, asker));
	end(&s);
	EXPECT_EQ(0, s.taken);
	EXPECT_EQ(1, s.ended);
	EXPECT(s.errors > 0);
	EXPECT(s.request == asker);
}

TEST_MAIN("reload", RUN(reload, takes_the_configuration_over_on_the_loop),
	  RUN(reload, tells_what_is_wrong_and_changes_nothing),
	  RUN(reload, is_one_at_a_time_and_a_signal_is_not_forgotten),
	  RUN(reload, that_is_under_way_when_the_node_stops_is_refused))
