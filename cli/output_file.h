/* The look at --output before any work is done. */
#ifndef CLI_OUTPUT_FILE_H
#define CLI_OUTPUT_FILE_H

/* STATUS_OK if a file can be written there; leaves what stands there untouched. Otherwise says why. */
int output_file_check(const char *path);

#endif
