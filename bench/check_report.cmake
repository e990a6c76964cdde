# Test: the report on measurements made up by hand, where the answers are known, and on damaged ones.
#   cmake -DREPORT=bench_report -DRUNS=sample_runs.jsonl -DSCRATCH=FOLDER -P check_report.cmake
execute_process(COMMAND ${REPORT} ${RUNS} json OUTPUT_VARIABLE json RESULT_VARIABLE status ERROR_VARIABLE complaint)
if(NOT status EQUAL 0)
    message(FATAL_ERROR "bench_report ended with ${status}: ${complaint}")
endif()

# promise INDEX -> value and verdict; indices follow claims.c
function(expect index value verdict)
    string(JSON text GET "${json}" promises ${index} promise)
    string(JSON got_verdict GET "${json}" promises ${index} verdict)
    string(JSON got GET "${json}" promises ${index} value)
    if(NOT "${got}" MATCHES "^${value}$" OR NOT got_verdict STREQUAL verdict)
        message(FATAL_ERROR "${text}: ${got}, ${got_verdict}; expected ${value}, ${verdict}")
    endif()
endfunction()
expect(0 "10\\.0*" "met")          # median of 4, 6 over median of 1, 0.5, 0.2; the broken rival and bf16 left out
expect(1 "" "not measured")
expect(2 "0\\.254.*" "met")        # 0.5 s / (490.9 GFLOP / 250 GFLOP/s)
expect(3 "" "not measured")
expect(5 "12\\.5" "NOT MET")
expect(22 "0\\.9.*" "NOT MET")     # the worse of two shapes
expect(23 "" "not measured")       # no rival beside ours
expect(25 "3\\.0*" "met")

string(JSON errors LENGTH "${json}" errors)
string(JSON results LENGTH "${json}" results)
if(NOT errors EQUAL 1 OR results LESS 8)
    message(FATAL_ERROR "${errors} errors and ${results} results in ${json}")
endif()
foreach(form text markdown)
    execute_process(COMMAND ${REPORT} ${RUNS} ${form} OUTPUT_VARIABLE text RESULT_VARIABLE status)
    if(NOT status EQUAL 0 OR NOT text MATCHES "NOT MET" OR NOT text MATCHES "absent_rival: no such file")
        message(FATAL_ERROR "${form}: ${text}")
    endif()
endforeach()

execute_process(COMMAND ${REPORT} ${RUNS} markdown OUTPUT_VARIABLE text)
if(NOT text MATCHES "[|] 1x2x3 [|] 1.20 [|] - [|] - [|]" OR NOT text MATCHES "[|] 4x5x6 [|] 0.90 [|] - [|] - [|]")
    message(FATAL_ERROR "the table of dense products: ${text}")
endif()

file(WRITE ${SCRATCH}/damaged_runs.jsonl "{\"section\": \"main\", \"label\"")
foreach(damaged ${SCRATCH}/damaged_runs.jsonl ${SCRATCH}/no_such_runs.jsonl)
    execute_process(COMMAND ${REPORT} ${damaged} RESULT_VARIABLE status ERROR_VARIABLE complaint)
    if(NOT status EQUAL 1 OR complaint STREQUAL "")
        message(FATAL_ERROR "${damaged} gave status ${status} and said '${complaint}'")
    endif()
endforeach()
