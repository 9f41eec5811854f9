/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>

#include "vector.h"

#define LINE_MAX_LEN 512

#define ERR_NAME(name, text) #name,
static const char *const err_names[] = {GW_ERR_LIST(ERR_NAME)};

static FILE *open_file(const char *name, const char *suffix)
{
	char path[1024];
	FILE *file;

	snprintf(path, sizeof(path), "%s/net/%s%s", VECTORS, name, suffix);
	file = fopen(path, "r");
	if (file == NULL)
		print_error("cannot read %s\n", path);
	EXPECT(file != NULL);
	return file;
}

static void add_line(struct bytes *b, const char *line)
{
	unsigned int value;
	uint8_t byte;
	int used;

	while (*line != '#' && sscanf(line, " %2x%n", &value, &used) == 1) {
		byte = (uint8_t)value;
		bytes_add(b, &byte, 1);
		line += used;
	}
	while (isspace((unsigned char)*line))
		line++;
	EXPECT(*line == '#' || *line == '\0');
}

struct bytes vector_read(const char *name)
{
	FILE *file = open_file(name, ".hex");
	struct bytes b = {.len = 0};
	char line[LINE_MAX_LEN];

	while (fgets(line, sizeof(line), file) != NULL)
		add_line(&b, line);
	fclose(file);
	return b;
}

static enum gw_err err_of(const char *name)
{
	for (uint32_t i = 0; i < GW_ERR_COUNT; i++)
		if (strcmp(err_names[i], name) == 0)
			return (enum gw_err)i;
	print_error("no such error: %s\n", name);
	EXPECT(false);
	return GW_ERR_COUNT;
}

uint32_t vector_each(void (*each)(const struct vector *vector))
{
	FILE *file = open_file("SOURCE", ".md");
	static struct vector vector;
	char line[LINE_MAX_LEN], err[64];
	uint32_t count = 0;

	while (fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "| %63[a-z0-9_].hex | %*[^|]| %63[A-Z0-9_] |", vector.name, err) !=
		    2)
			continue;
		vector.expected = err_of(err);
		vector.frame = vector_read(vector.name);
		each(&vector);
		count++;
	}
	fclose(file);
	return count;
}

uint32_t vector_files(void)
{
	DIR *dir = opendir(VECTORS "/net");
	struct dirent *entry;
	uint32_t count = 0;

	EXPECT(dir != NULL);
	while ((entry = readdir(dir)) != NULL)
		if (strstr(entry->d_name, ".hex") != NULL)
			count++;
	closedir(dir);
	return count;
}
