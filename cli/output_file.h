/* The look at --output and its like before any work is done. */
#ifndef CLI_OUTPUT_FILE_H
#define CLI_OUTPUT_FILE_H

/* STATUS_OK if a file can be written there; leaves what stands there untouched. Otherwise says why.
 * `option` is "--output", for the sentence. */
int output_file_check(const char *option, const char *path);

/* 1 if something stands there. */
int output_file_exists(const char *path);

#endif
