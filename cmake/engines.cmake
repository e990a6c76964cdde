# An engine is the number-crunching part of the library (src/kernels, src/layers, src/train), compiled for one type of
# number and one instruction set. All engines come from the same source and give the same bits; the best one that a
# machine can run is chosen at run time. The file that is compiled for engine X sees CN_ENGINE=X; the engine that also
# carries what is needed only once (names, options, shape rules) sees CN_ONCE=1.
#
#   engine          number   flags
set(CN_ENGINES "f64_c" "f32_c")
# The yardstick, which nobody waits for; but its products take most of the time of a test that trains in float64.
set(CN_FLAGS_f64_c -O1)
set(CN_MATMUL_FLAGS "$<$<AND:$<CONFIG:Release>,$<STREQUAL:$<TARGET_PROPERTY:NAME>,cornu_engine_f64_c>>:-O3>")
set(CN_FLAGS_f32_c "")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    list(APPEND CN_ENGINES "f32_avx2")
    if(CORNU_WITH_AVX512)
        list(APPEND CN_ENGINES "f32_avx512")
    endif()
    set(CN_FLAGS_f32_avx2 -march=x86-64-v3 -DCN_ISA_AVX2=1)
    set(CN_FLAGS_f32_avx512 -march=x86-64-v4 -mprefer-vector-width=512 -DCN_ISA_AVX512=1)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    list(APPEND CN_ENGINES "f32_neon")
    set(CN_FLAGS_f32_neon -DCN_ISA_NEON=1)
endif()

# For tables of engines, in ascending order of levels: X(f64_c) X(f32_c) ...
list(TRANSFORM CN_ENGINES REPLACE "(.+)" "X(\\1)" OUTPUT_VARIABLE list_of_engines)
list(JOIN list_of_engines " " list_of_engines)
target_compile_definitions(cornu_settings INTERFACE "CN_ENGINES=${list_of_engines}")

# Tiles and bfloat16 conversions stay in one file, whose functions are only called where the CPU has both.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    set_source_files_properties(src/kernels/amx_matmul.c src/kernels/amx_hidden.c
        src/kernels/amx_input_gradient.c src/kernels/amx_rmsprop.c src/kernels/amx_rmsprop_narrow.c PROPERTIES
        COMPILE_OPTIONS "-mamx-tile;-mamx-bf16;-mavx512bf16")
    set_source_files_properties(src/kernels/gather_halves.c PROPERTIES COMPILE_OPTIONS "-mavx512bf16")
    set_source_files_properties(src/kernels/amx_bytes_forward.c src/kernels/amx_bytes_gradient.c PROPERTIES
        COMPILE_OPTIONS "-mamx-tile;-mamx-int8")
endif()

set_source_files_properties(src/kernels/matmul.c src/kernels/matmul_turned.c PROPERTIES
    COMPILE_OPTIONS "${CN_MATMUL_FLAGS}")

# Sums of whole numbers, which are exact with and without fusing.
set_source_files_properties(src/kernels/dense_sparse.c src/kernels/dense_sparse_narrow.c PROPERTIES
    COMPILE_OPTIONS "-ffp-contract=fast")

# cn_add_engines(OBJECTS source...): one object library per engine, appended to the list OBJECTS.
function(cn_add_engines objects)
    set(all ${${objects}})
    foreach(engine ${CN_ENGINES})
        add_library(cornu_engine_${engine} OBJECT ${ARGN})
        target_link_libraries(cornu_engine_${engine} PUBLIC cornu_settings cornu_features)
        # Neither flag changes a value: they tell the compiler that nobody reads errno or the exception flags.
        target_compile_options(cornu_engine_${engine} PRIVATE -fno-math-errno -fno-trapping-math ${CN_FLAGS_${engine}})
        string(SUBSTRING ${engine} 1 2 bits)
        target_compile_definitions(cornu_engine_${engine} PRIVATE
            CN_ENGINE=${engine} CN_REAL_BITS=${bits} $<$<STREQUAL:${engine},f32_c>:CN_ONCE=1>)
        list(APPEND all $<TARGET_OBJECTS:cornu_engine_${engine}>)
    endforeach()
    set(${objects} ${all} PARENT_SCOPE)
    set(CN_ENGINES ${CN_ENGINES} PARENT_SCOPE)
endfunction()
