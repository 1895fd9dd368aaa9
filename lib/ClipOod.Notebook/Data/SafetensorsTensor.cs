using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace ClipOod.Notebook;

/// <summary>The element types that <see cref="Safetensors"/> reads and writes, little-endian.</summary>
public enum SafetensorsType
{
    /// <summary>IEEE half precision, 2 bytes.</summary>
    F16,

    /// <summary>IEEE single precision, 4 bytes.</summary>
    F32,

    /// <summary>Signed integer, 4 bytes.</summary>
    I32,

    /// <summary>Signed integer, 8 bytes.</summary>
    I64,

    /// <summary>Unsigned byte.</summary>
    U8,
}

/// <summary>
/// A named, row-major tensor: either a view into an open <see cref="SafetensorsFile"/>, which must then stay open while
/// the tensor is read, or values in memory to be written.
/// </summary>
public sealed class SafetensorsTensor
{
    private readonly SafetensorsFile? _file;
    private readonly long _offset;
    private readonly byte[] _bytes = [];

    internal SafetensorsTensor(string name, SafetensorsType type, int[] shape, SafetensorsFile file, long offset)
    {
        Name = name;
        DType = type;
        Shape = shape;
        _file = file;
        _offset = offset;
    }

    private SafetensorsTensor(string name, SafetensorsType type, IReadOnlyList<int> shape, byte[] bytes)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(shape);
        Name = name;
        DType = type;
        Shape = [.. shape];
        _bytes = bytes;
        if (shape.Any(s => s < 0) || ByteCount != bytes.Length)
        {
            throw new ArgumentException(
                $"Tensor '{name}' got {bytes.Length / SizeOf(type)} values, expected as many as its shape [{string.Join(", ", shape)}] says.",
                nameof(shape));
        }
    }

    /// <summary>The name within the file.</summary>
    public string Name { get; }

    /// <summary>The type of the stored elements.</summary>
    public SafetensorsType DType { get; }

    /// <summary>The extents, outermost first; empty for a single number.</summary>
    public IReadOnlyList<int> Shape { get; }

    /// <summary>Number of elements: the product of the extents.</summary>
    public long Count => Shape.Aggregate(1L, (product, extent) => product * extent);

    /// <summary>Number of bytes the elements take.</summary>
    public long ByteCount => Count * SizeOf(DType);

    /// <summary>The elements as stored, without a copy.</summary>
    /// <exception cref="ObjectDisposedException">The file that the tensor views is closed.</exception>
    /// <exception cref="InvalidDataException">The tensor is larger than 2 GiB.</exception>
    public ReadOnlySpan<byte> Bytes => _file is null ? _bytes : _file.Read(this, _offset);

    /// <summary>A tensor of single-precision numbers to be written.</summary>
    /// <param name="name">The name within the file.</param>
    /// <param name="shape">Extents whose product is the number of values.</param>
    /// <param name="values">Row-major values.</param>
    /// <exception cref="ArgumentException">The shape does not fit the number of values.</exception>
    public static SafetensorsTensor FromSingles(string name, IReadOnlyList<int> shape, ReadOnlySpan<float> values) =>
        new(name, SafetensorsType.F32, shape, MemoryMarshal.AsBytes(values).ToArray());

    /// <summary>A tensor of half-precision numbers to be written, rounded from single precision.</summary>
    /// <inheritdoc cref="FromSingles"/>
    public static SafetensorsTensor FromSinglesAsHalf(string name, IReadOnlyList<int> shape, ReadOnlySpan<float> values)
    {
        Half[] halves = new Half[values.Length];
        TensorPrimitives.ConvertToHalf(values, halves);
        return new(name, SafetensorsType.F16, shape, MemoryMarshal.AsBytes<Half>(halves).ToArray());
    }

    /// <summary>A tensor of 4-byte integers to be written.</summary>
    /// <inheritdoc cref="FromSingles"/>
    public static SafetensorsTensor FromInt32s(string name, IReadOnlyList<int> shape, ReadOnlySpan<int> values) =>
        new(name, SafetensorsType.I32, shape, MemoryMarshal.AsBytes(values).ToArray());

    /// <summary>A tensor of 8-byte integers to be written.</summary>
    /// <inheritdoc cref="FromSingles"/>
    public static SafetensorsTensor FromInt64s(string name, IReadOnlyList<int> shape, ReadOnlySpan<long> values) =>
        new(name, SafetensorsType.I64, shape, MemoryMarshal.AsBytes(values).ToArray());

    /// <summary>A tensor of bytes to be written.</summary>
    /// <inheritdoc cref="FromSingles"/>
    public static SafetensorsTensor FromBytes(string name, IReadOnlyList<int> shape, ReadOnlySpan<byte> values) =>
        new(name, SafetensorsType.U8, shape, values.ToArray());

    /// <summary>The elements of an F16 or F32 tensor in single precision, row-major.</summary>
    /// <exception cref="InvalidDataException">The tensor holds integers.</exception>
    public float[] ToSingles()
    {
        if (DType == SafetensorsType.F16)
        {
            float[] result = new float[Bytes.Length / sizeof(ushort)];
            TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(Bytes), result);
            return result;
        }

        return DType == SafetensorsType.F32
            ? MemoryMarshal.Cast<byte, float>(Bytes).ToArray()
            : throw WrongType("F16 or F32");
    }

    /// <summary>The elements of an I32, I64 or U8 tensor as 4-byte integers, row-major.</summary>
    /// <exception cref="InvalidDataException">The tensor holds fractions, or an I64 value beyond the range of Int32.</exception>
    public int[] ToInt32s()
    {
        switch (DType)
        {
            case SafetensorsType.I32:
                return MemoryMarshal.Cast<byte, int>(Bytes).ToArray();
            case SafetensorsType.U8:
                return [.. Bytes.ToArray().Select(b => (int)b)];
            case SafetensorsType.I64:
                long[] longs = ToInt64s();
                int beyond = Array.FindIndex(longs, v => v is < int.MinValue or > int.MaxValue);
                return beyond < 0
                    ? [.. longs.Select(v => (int)v)]
                    : throw new InvalidDataException($"{Where}: element {beyond} is {longs[beyond]}, which no 4-byte integer can hold.");
            default:
                throw WrongType("I32, I64 or U8");
        }
    }

    /// <summary>The elements of an I64 tensor, row-major.</summary>
    /// <exception cref="InvalidDataException">The tensor is of another type.</exception>
    public long[] ToInt64s() =>
        DType == SafetensorsType.I64 ? MemoryMarshal.Cast<byte, long>(Bytes).ToArray() : throw WrongType("I64");

    /// <summary>The elements of a U8 tensor, row-major.</summary>
    /// <exception cref="InvalidDataException">The tensor is of another type.</exception>
    public byte[] ToBytes() => DType == SafetensorsType.U8 ? Bytes.ToArray() : throw WrongType("U8");

    /// <inheritdoc/>
    public override string ToString() => $"{Name}: {DType} [{string.Join(", ", Shape)}]";

    internal string Where => _file is null ? $"Tensor '{Name}'" : $"{_file.Path}: tensor '{Name}'";

    internal static int SizeOf(SafetensorsType type) => type switch
    {
        SafetensorsType.U8 => 1,
        SafetensorsType.F16 => 2,
        SafetensorsType.F32 or SafetensorsType.I32 => 4,
        SafetensorsType.I64 => 8,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not an element type of this library."),
    };

    private InvalidDataException WrongType(string expected) =>
        new($"{Where} holds {DType} elements, expected {expected}.");
}
