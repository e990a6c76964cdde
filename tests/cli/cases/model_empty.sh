: >model.safetensors; cornu summary model.safetensors
