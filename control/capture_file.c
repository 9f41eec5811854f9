/* SPDX-License-Identifier: BSD-3-Clause */
#include "capture_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { WRITE_BYTES = 65536, BUFFER_BYTES = 2 * WRITE_BYTES };

struct capture_file {
	int fd;
	int error; /* errno of the write that failed; 0: none */
	uint32_t snap;
	uint64_t bytes_max;
	uint64_t written; /* bytes in the file */
	uint64_t frames;
	struct writer out;
	uint8_t buffer[BUFFER_BYTES];
};

static bool file_write(struct capture_file *file, struct span bytes)
{
	while (bytes.len > 0) {
		ssize_t n = write(file->fd, bytes.at, bytes.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			file->error = errno;
			return false;
		}
		file->written += (uint64_t)n;
		bytes = span_from(bytes, (uint32_t)n);
	}
	return true;
}

/** Writes out all of the buffer, or its full blocks only; what is left moves to its start. */
static bool file_flush(struct capture_file *file, uint32_t block)
{
	struct span all = writer_span(&file->out);
	uint32_t whole = all.len / block * block;
	bool good = file_write(file, span_cut(all, 0, whole));

	memmove(file->buffer, file->buffer + whole, all.len - whole);
	writer_init(&file->out, file->buffer, BUFFER_BYTES);
	file->out.at += all.len - whole;
	return good;
}

static bool file_head(struct capture_file *file, const struct capture_file_config *config)
{
	pcapng_section(&file->out, "wicgate " WICGATE_VERSION);
	for (uint32_t i = 0; i < config->interfaces; i++)
		pcapng_interface(&file->out, config->interface[i], config->snap);
	return file_flush(file, 1); /* a full disk shows now */
}

struct capture_file *capture_file_new(const struct capture_file_config *config)
{
	struct capture_file *file = malloc(sizeof(*file));

	if (file == NULL)
		return NULL;
	file->error = 0;
	file->written = file->frames = 0;
	file->snap = config->snap;
	file->bytes_max = config->bytes_max != 0 ? config->bytes_max : CAPTURE_FILE_BYTES_MAX;
	writer_init(&file->out, file->buffer, BUFFER_BYTES);
	/* O_EXCL: nothing that is there is written over, nor followed when it is a link */
	file->fd = open(config->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (file->fd < 0) {
		free(file);
		return NULL;
	}
	if (!file_head(file, config)) {
		int error = file->error;

		unlink(config->path);
		close(file->fd);
		free(file);
		errno = error;
		return NULL;
	}
	return file;
}

enum gw_err capture_file_add(struct capture_file *file, const struct pcapng_packet *packet,
			     struct span bytes)
{
	errno = file->error;
	if (file->error != 0)
		return GW_SYSTEM;
	bytes = span_cut(bytes, 0, file->snap);
	if (capture_file_bytes(file) + bytes.len + PCAPNG_PACKET_OVERHEAD > file->bytes_max)
		return GW_NO_ROOM;
	pcapng_packet(&file->out, packet, bytes);
	file->frames++;
	if (writer_len(&file->out) >= WRITE_BYTES && !file_flush(file, WRITE_BYTES)) {
		errno = file->error;
		return GW_SYSTEM;
	}
	return GW_OK;
}

uint64_t capture_file_frames(const struct capture_file *file)
{
	return file->frames;
}

uint64_t capture_file_bytes(const struct capture_file *file)
{
	return file->written + writer_len(&file->out);
}

enum gw_err capture_file_close(struct capture_file *file)
{
	enum gw_err err = GW_OK;
	int error;

	if (file == NULL)
		return GW_OK;
	if (file->error == 0)
		(void)file_flush(file, 1);
	if (close(file->fd) != 0 && file->error == 0)
		file->error = errno;
	error = file->error;
	if (error != 0)
		err = GW_SYSTEM;
	free(file);
	errno = error;
	return err;
}
