"""Writes safetensors files: 8-byte header length, JSON header, data."""
import json
import struct

import numpy

DTYPES = {'float32': 'F32', 'int64': 'I64'}


def write_safetensors(path, tensors, metadata=None):
    """tensors: name -> float32 or int64 array; metadata: name -> string."""
    header, data, offset = {}, [], 0
    if metadata:
        header['__metadata__'] = metadata
    for name, values in tensors.items():
        array = numpy.asarray(values)
        raw = array.astype(array.dtype.newbyteorder('<')).tobytes()
        header[name] = {
            'dtype': DTYPES[array.dtype.name],
            'shape': list(array.shape),
            'data_offsets': [offset, offset + len(raw)],
        }
        data.append(raw)
        offset += len(raw)
    text = json.dumps(header, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 8)
    with open(path, 'wb') as file:
        file.write(struct.pack('<Q', len(text)) + text + b''.join(data))
