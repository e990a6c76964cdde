# Test: the page and the picture about growth, from measurements made up by hand with one jump and one cliff.
#   cmake -DTABLE=growth_table -DRUNS=sample_runs.jsonl -DSCRATCH=FOLDER -P check_growth.cmake
execute_process(COMMAND ${TABLE} ${RUNS} ${SCRATCH}/growth-test.md ${SCRATCH}/growth-test.svg RESULT_VARIABLE status)
if(NOT status EQUAL 0)
    message(FATAL_ERROR "growth_table ended with ${status}")
endif()
file(READ ${SCRATCH}/growth-test.md page)
file(READ ${SCRATCH}/growth-test.svg picture)
foreach(line "| 256 | 8 | 8 ... 8 | 0.016 | 500.00 | worse than linear |" "| 511 | 30 | 30 ... 30 | 0.0319 | 939.85 | cliff |"
        "| 512 | 16 | 16 ... 16 | 0.032 | 500.00 |  |" "2 lines are flagged"
        "](images/growth-test.svg)")
    string(FIND "${page}" "${line}" at)
    if(at LESS 0)
        message(FATAL_ERROR "'${line}' is missing in:\n${page}")
    endif()
endforeach()
string(REGEX MATCHALL "fill='#c0392b'" red "${picture}")
list(LENGTH red flagged)
if(NOT flagged EQUAL 2 OR NOT picture MATCHES "</svg>")
    message(FATAL_ERROR "${flagged} red points instead of 2 in:\n${picture}")
endif()
execute_process(COMMAND ${TABLE} ${RUNS} ${SCRATCH}/no-such-folder/page.md ${SCRATCH}/growth-test.svg RESULT_VARIABLE status
    ERROR_QUIET)
if(NOT status EQUAL 1)
    message(FATAL_ERROR "a page that cannot be written gave status ${status} instead of 1")
endif()
