namespace ClipOod.Autodiff;

/// <summary>A name that a pickle refers to: it is compared, never resolved to code.</summary>
internal sealed record TorchGlobal(string Name);

/// <summary>An object of TorchScript: whatever its class, the attributes that it was saved with.</summary>
internal sealed class TorchObject
{
    public object? State { get; set; }
}

/// <summary>A string of bytes within a pickle, where it lies in the file.</summary>
internal sealed record TorchBytes(long Offset, long Length);

/// <summary>Elements that tensors share. Where they lie in the file is known once its container was read to the end.</summary>
internal sealed class TorchStorage(TorchElement element, long count)
{
    public TorchElement Element => element;

    public long Count => count;

    public long Offset { get; set; }

    public bool IsBigEndian { get; set; }
}

/// <summary>A tensor as a view of a storage; offset and strides count elements.</summary>
internal sealed record TorchView(TorchStorage Storage, TorchElement Element, long Offset, long[] Shape, long[] Strides);

/// <summary>A type of elements in torch files.</summary>
/// <param name="Name">PyTorch's name of the type.</param>
/// <param name="Size">Bytes of an element.</param>
/// <param name="Type">What it is read as; null for types that are refused.</param>
internal sealed record TorchElement(string Name, int Size, SafetensorsType? Type)
{
    // Booleans are bytes; the narrow integers, which SafetensorsType lacks, are widened.
    private static readonly (string Storage, TorchElement Element)[] _all =
    [
        ("DoubleStorage", new("float64", 8, SafetensorsType.F64)),
        ("FloatStorage", new("float32", 4, SafetensorsType.F32)),
        ("HalfStorage", new("float16", 2, SafetensorsType.F16)),
        ("BFloat16Storage", new("bfloat16", 2, SafetensorsType.BF16)),
        ("LongStorage", new("int64", 8, SafetensorsType.I64)),
        ("IntStorage", new("int32", 4, SafetensorsType.I32)),
        ("ShortStorage", new("int16", 2, SafetensorsType.I32)),
        ("CharStorage", new("int8", 1, SafetensorsType.I32)),
        ("ByteStorage", new("uint8", 1, SafetensorsType.U8)),
        ("BoolStorage", new("bool", 1, SafetensorsType.U8)),
        ("ComplexFloatStorage", new("complex64", 8, null)),
        ("ComplexDoubleStorage", new("complex128", 16, null)),
    ];

    /// <summary>The bytes of a storage without a type.</summary>
    private static readonly TorchElement _byte = new("bytes", 1, null);

    private static readonly Dictionary<string, TorchElement> _ofStorage = new(
        _all.Select(entry => KeyValuePair.Create($"torch.{entry.Storage}", entry.Element)), StringComparer.Ordinal)
    {
        ["torch.storage.UntypedStorage"] = _byte,
        ["torch.storage.TypedStorage"] = _byte,
    };

    private static readonly Dictionary<string, TorchElement> _ofType =
        _all.ToDictionary(entry => $"torch.{entry.Element.Name}", entry => entry.Element, StringComparer.Ordinal);

    /// <summary>The elements of a class of storages, such as torch.FloatStorage; null where the name is none.</summary>
    public static TorchElement? OfStorage(string global) => _ofStorage.GetValueOrDefault(global);

    /// <summary>The elements of a dtype, such as torch.float32; null where the name is none.</summary>
    public static TorchElement? OfType(string global) => _ofType.GetValueOrDefault(global);
}
