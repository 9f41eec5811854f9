/* SPDX-License-Identifier: BSD-3-Clause */
#include "../test.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "path.h"

static enum gw_err read_path(const char *raw, char name[PATH_SIZE])
{
	return path_read(span_text(raw), name);
}

static void expect_name(const char *raw, const char *wanted)
{
	char name[PATH_SIZE];

	EXPECT_EQ(GW_OK, read_path(raw, name));
	EXPECT_TEXT(wanted, name);
}

static void expect_malformed(const char *raw)
{
	char name[PATH_SIZE];

	EXPECT_EQ(GW_HTTP_SYNTAX, read_path(raw, name));
}

TEST(path, names_a_file_below_the_folder)
{
	expect_name("/app.js", "app.js");
	expect_name("/lib/jssip.min.js", "lib/jssip.min.js");
	expect_name("/a..b/c.", "a..b/c.");
}

TEST(path, names_the_index_of_a_folder)
{
	expect_name("/", "index.html");
	expect_name("/help/", "help/index.html");
}

TEST(path, decodes_escapes_once)
{
	expect_name("/%61pp%2Ejs", "app.js");
	expect_name("/a%20b", "a b");
	expect_name("/%252e%252e/x", "%2e%2e/x");
}

TEST(path, refuses_a_step_up)
{
	expect_malformed("/..");
	expect_malformed("/../etc/passwd");
	expect_malformed("/lib/../../etc/passwd");
	expect_malformed("/lib/..");
	expect_malformed("/./app.js");
}

TEST(path, refuses_a_step_up_in_escapes)
{
	expect_malformed("/%2e%2e/etc/passwd");
	expect_malformed("/.%2E/etc/passwd");
	expect_malformed("/lib%2f..%2f..%2fetc/passwd");
	expect_malformed("/..%5cetc");
}

TEST(path, refuses_hidden_files)
{
	expect_malformed("/.git/config");
	expect_malformed("/lib/.env");
}

TEST(path, refuses_an_absolute_name)
{
	expect_malformed("//etc/passwd");
	expect_malformed("/%2fetc/passwd");
	expect_malformed("/lib//app.js");
}

TEST(path, refuses_what_is_no_path)
{
	expect_malformed("");
	expect_malformed("app.js");
	expect_malformed("*");
	expect_malformed("https://shop.example/app.js");
}

TEST(path, refuses_bad_escapes)
{
	expect_malformed("/%");
	expect_malformed("/%2");
	expect_malformed("/a%zz");
	expect_malformed("/a%2");
	expect_malformed("/%+1");
}

TEST(path, refuses_bytes_that_are_not_printable_ascii)
{
	expect_malformed("/app.js%00.png");
	expect_malformed("/a%0d%0ab");
	expect_malformed("/a\x01");
	expect_malformed("/%c0%ae%c0%ae/etc/passwd");
	expect_malformed("/\xc3\xa9");
	expect_malformed("/a%7f");
}

TEST(path, takes_the_longest_name_and_no_longer)
{
	char raw[PATH_SIZE + 2], name[PATH_SIZE];

	memset(raw, 'a', sizeof(raw));
	raw[0] = '/';
	raw[PATH_SIZE] = '\0'; /* the slash, and one less than the buffer holds */
	EXPECT_EQ(GW_OK, read_path(raw, name));
	EXPECT_EQ(PATH_SIZE - 1, strlen(name));
	raw[PATH_SIZE] = 'a';
	raw[PATH_SIZE + 1] = '\0';
	EXPECT_EQ(GW_HTTP_TOO_LONG, read_path(raw, name));
}

TEST(path, knows_the_types_of_a_site)
{
	EXPECT_TEXT("text/html; charset=utf-8", path_content_type("a/index.html"));
	EXPECT_TEXT("text/javascript; charset=utf-8", path_content_type("jssip.min.js"));
	EXPECT_TEXT("text/css; charset=utf-8", path_content_type("a.css"));
	EXPECT_TEXT("application/json", path_content_type("a.json"));
	EXPECT_TEXT("image/svg+xml", path_content_type("a.svg"));
	EXPECT_TEXT("image/png", path_content_type("a.png"));
	EXPECT_TEXT("image/vnd.microsoft.icon", path_content_type("favicon.ico"));
	EXPECT_TEXT("application/octet-stream", path_content_type("a.js.gz"));
	EXPECT_TEXT("application/octet-stream", path_content_type("README"));
}

/* A folder for the tests that open: site/ is served; secret lies beside it. */
static const char *const folders[] = {"site", "site/lib"};
static const char *const files[] = {"secret", "site/app.js", "site/lib/a.js"};
static const char *const links[][2] = {
	{"../secret", "site/out.js"},
	{"/etc", "site/etc"},
	{"app.js", "site/in.js"},
	{"lib", "site/libs"},
};

static void write_file(int top, const char *name)
{
	int fd = openat(top, name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	EXPECT(fd >= 0);
	EXPECT_EQ(5, write(fd, "hello", 5));
	close(fd);
}

struct tree {
	char name[64];
	int top;
	int site;
};

static void tree_make(struct tree *tree)
{
	snprintf(tree->name, sizeof(tree->name), "/tmp/wwsf-path.XXXXXX");
	EXPECT(mkdtemp(tree->name) != NULL);
	tree->top = open(tree->name, O_PATH | O_DIRECTORY);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		EXPECT_EQ(0, mkdirat(tree->top, folders[i], 0700));
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		write_file(tree->top, files[i]);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		EXPECT_EQ(0, symlinkat(links[i][0], tree->top, links[i][1]));
	EXPECT_EQ(0, mkfifoat(tree->top, "site/pipe", 0600));
	tree->site = openat(tree->top, "site", O_PATH | O_DIRECTORY);
}

static void tree_remove(struct tree *tree)
{
	unlinkat(tree->top, "site/pipe", 0);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		unlinkat(tree->top, links[i][1], 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlinkat(tree->top, files[i], 0);
	unlinkat(tree->top, "site/lib", AT_REMOVEDIR);
	unlinkat(tree->top, "site", AT_REMOVEDIR);
	close(tree->site);
	close(tree->top);
	EXPECT_EQ(0, rmdir(tree->name));
}

TEST(path, opens_files_of_the_folder_and_tells_their_size)
{
	struct tree tree;
	uint64_t size = 0;
	char text[5];
	int fd;

	tree_make(&tree);
	fd = path_open(tree.site, "lib/a.js", &size);
	EXPECT(fd >= 0);
	EXPECT_EQ(5, size);
	EXPECT_EQ(5, read(fd, text, sizeof(text)));
	EXPECT_BYTES("hello", text, 5);
	close(fd);
	EXPECT_EQ(-1, path_open(tree.site, "b.js", &size));
	EXPECT_EQ(-1, path_open(tree.site, "app.js/x", &size));
	tree_remove(&tree);
}

TEST(path, follows_no_symbolic_link)
{
	struct tree tree;
	uint64_t size;

	tree_make(&tree);
	EXPECT_EQ(-1, path_open(tree.site, "out.js", &size));
	EXPECT_EQ(-1, path_open(tree.site, "etc/passwd", &size));
	EXPECT_EQ(-1, path_open(tree.site, "in.js", &size));
	EXPECT_EQ(-1, path_open(tree.site, "libs/a.js", &size));
	tree_remove(&tree);
}

TEST(path, opens_nothing_but_regular_files)
{
	struct tree tree;
	uint64_t size;

	tree_make(&tree);
	EXPECT_EQ(-1, path_open(tree.site, "lib", &size));
	EXPECT_EQ(-1, path_open(tree.site, "pipe", &size));
	tree_remove(&tree);
}

/* A descriptor lost at each request would end the site. */
TEST(path, leaves_no_descriptor_behind)
{
	struct tree tree;
	uint64_t size;
	int before, after;

	tree_make(&tree);
	before = dup(tree.site);
	for (int i = 0; i < 3; i++) {
		close(path_open(tree.site, "lib/a.js", &size));
		EXPECT_EQ(-1, path_open(tree.site, "lib/none", &size));
		EXPECT_EQ(-1, path_open(tree.site, "none/none", &size));
		EXPECT_EQ(-1, path_open(tree.site, "pipe", &size));
	}
	after = dup(tree.site);
	EXPECT_EQ(before + 1, after);
	close(before);
	close(after);
	tree_remove(&tree);
}

TEST_MAIN("wwsf_path", RUN(path, names_a_file_below_the_folder),
	  RUN(path, names_the_index_of_a_folder), RUN(path, decodes_escapes_once),
	  RUN(path, refuses_a_step_up), RUN(path, refuses_a_step_up_in_escapes),
	  RUN(path, refuses_hidden_files), RUN(path, refuses_an_absolute_name),
	  RUN(path, refuses_what_is_no_path), RUN(path, refuses_bad_escapes),
	  RUN(path, refuses_bytes_that_are_not_printable_ascii),
	  RUN(path, takes_the_longest_name_and_no_longer), RUN(path, knows_the_types_of_a_site),
	  RUN(path, opens_files_of_the_folder_and_tells_their_size),
	  RUN(path, follows_no_symbolic_link), RUN(path, opens_nothing_but_regular_files),
	  RUN(path, leaves_no_descriptor_behind))
