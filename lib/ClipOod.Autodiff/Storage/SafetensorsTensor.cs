using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace ClipOod.Autodiff;

/// <summary>The element types that <see cref="Safetensors"/> reads and writes, little-endian.</summary>
public enum SafetensorsType
{
    /// <summary>The upper half of IEEE single precision, 2 bytes.</summary>
    BF16,

    /// <summary>IEEE half precision, 2 bytes.</summary>
    F16,

    /// <summary>IEEE single precision, 4 bytes.</summary>
    F32,

    /// <summary>IEEE double precision, 8 bytes.</summary>
    F64,

    /// <summary>Signed integer, 4 bytes.</summary>
    I32,

    /// <summary>Signed integer, 8 bytes.</summary>
    I64,

    /// <summary>Unsigned byte.</summary>
    U8,
}

/// <summary>
/// A named, row-major tensor: either a view into an open file (a <see cref="SafetensorsFile"/>, or one of another format), which must
/// then stay open while the tensor is read, or values in memory to be written.
/// </summary>
public sealed class SafetensorsTensor
{
    private readonly MappedFile? _file;
    private readonly long _offset;
    private readonly Func<byte[]>? _arrange;
    private readonly Action<Stream>? _write;
    private readonly byte[] _bytes = [];

    /// <param name="name">The name within the file.</param>
    /// <param name="type">Type of the elements.</param>
    /// <param name="shape">Extents.</param>
    /// <param name="file">The file, which holds all the elements.</param>
    /// <param name="offset">Where they begin.</param>
    /// <param name="arrange">Makes row-major elements of the type, where they do not lie in the file as such.</param>
    internal SafetensorsTensor(string name, SafetensorsType type, int[] shape, MappedFile file, long offset, Func<byte[]>? arrange = null)
    {
        Name = name;
        DType = type;
        Shape = shape;
        _file = file;
        _offset = offset;
        _arrange = arrange;
    }

    /// <param name="name">The name within the file.</param>
    /// <param name="type">Type of the elements.</param>
    /// <param name="shape">Extents.</param>
    /// <param name="write">Writes the elements, row-major and of the type: as many as the shape says. They are in no other way to be read.</param>
    internal SafetensorsTensor(string name, SafetensorsType type, IReadOnlyList<int> shape, Action<Stream> write)
    {
        (Name, DType, Shape, _write) = (name, type, shape, write);
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

    /// <summary>The elements, without a copy where they are stored row by row.</summary>
    /// <exception cref="ObjectDisposedException">The file that the tensor views is closed.</exception>
    /// <exception cref="InvalidDataException">The tensor is larger than 2 GiB.</exception>
    public ReadOnlySpan<byte> Bytes => _file is null ? _bytes
        : ByteCount > int.MaxValue ? throw new InvalidDataException($"{Where} holds {ByteCount} bytes, expected at most {int.MaxValue}: split it by rows.")
        : _arrange is not null ? _arrange()
        : _file.Slice(_offset, (int)ByteCount);

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

    /// <summary>A tensor of bfloat16 numbers to be written, rounded from single precision, halves to even.</summary>
    /// <inheritdoc cref="FromSingles"/>
    public static SafetensorsTensor FromSinglesAsBFloat16(string name, IReadOnlyList<int> shape, ReadOnlySpan<float> values)
    {
        ushort[] upper = new ushort[values.Length];
        for (int i = 0; i < upper.Length; i++)
        {
            uint bits = BitConverter.SingleToUInt32Bits(values[i]);

            // NaN stays NaN: rounding up could carry its bits into infinity's.
            upper[i] = float.IsNaN(values[i]) ? (ushort)((bits >> 16) | 0x40) : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
        }

        return new(name, SafetensorsType.BF16, shape, MemoryMarshal.AsBytes<ushort>(upper).ToArray());
    }

    /// <summary>A tensor of double-precision numbers to be written.</summary>
    /// <inheritdoc cref="FromSingles"/>
    public static SafetensorsTensor FromDoubles(string name, IReadOnlyList<int> shape, ReadOnlySpan<double> values) =>
        new(name, SafetensorsType.F64, shape, MemoryMarshal.AsBytes(values).ToArray());

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

    /// <summary>A tensor of bytes that are elements of a type already.</summary>
    internal static SafetensorsTensor FromRaw(string name, SafetensorsType type, IReadOnlyList<int> shape, ReadOnlySpan<byte> bytes) =>
        new(name, type, shape, bytes.ToArray());

    /// <summary>
    /// The elements of a BF16, F16, F32 or F64 tensor in single precision, row-major; doubles are rounded.
    /// </summary>
    /// <exception cref="InvalidDataException">The tensor holds integers.</exception>
    public float[] ToSingles()
    {
        float[] result = new float[Count];
        CopyTo(result);
        return result;
    }

    /// <summary>Writes what <see cref="ToSingles"/> gives into memory of the caller's.</summary>
    /// <param name="destination">Room for at least <see cref="Count"/> values.</param>
    /// <exception cref="ArgumentException">There is less room.</exception>
    /// <exception cref="InvalidDataException">The tensor holds integers.</exception>
    public void CopyTo(Span<float> destination)
    {
        switch (DType)
        {
            case SafetensorsType.BF16:
                TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, ushort>(Bytes), MemoryMarshal.Cast<float, uint>(destination));
                Span<uint> bits = MemoryMarshal.Cast<float, uint>(destination[..(int)Count]);
                TensorPrimitives.ShiftLeft(bits, 16, bits);
                break;
            case SafetensorsType.F16:
                TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(Bytes), destination);
                break;
            case SafetensorsType.F32 when _file is not null && _arrange is null:
                _file.Read(_offset, MemoryMarshal.AsBytes(destination[..(int)Count]));
                break;
            case SafetensorsType.F32:
                MemoryMarshal.Cast<byte, float>(Bytes).CopyTo(destination);
                break;
            case SafetensorsType.F64:
                TensorPrimitives.ConvertSaturating(MemoryMarshal.Cast<byte, double>(Bytes), destination);
                break;
            default:
                throw WrongType("BF16, F16, F32 or F64");
        }
    }

    /// <summary>
    /// The same elements where they lie, if the file is mapped and they are F32, row by row and aligned; otherwise a copy, as <see cref="ToSingles"/> gives it.
    /// </summary>
    /// <exception cref="InvalidDataException">The tensor holds integers.</exception>
    public ReadOnlyMemory<float> AsSingles() =>
        DType == SafetensorsType.F32 && _file is not null && _arrange is null && _offset % sizeof(float) == 0
            ? _file.Map(_offset, Bytes.Length / sizeof(float))
            : ToSingles();

    /// <summary>The elements of an F64 tensor, row-major.</summary>
    /// <exception cref="InvalidDataException">The tensor is of another type.</exception>
    public double[] ToDoubles() =>
        DType == SafetensorsType.F64 ? MemoryMarshal.Cast<byte, double>(Bytes).ToArray() : throw WrongType("F64");

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

    /// <summary>What to call the tensor in error messages: its name and, if it is a view, its file's path.</summary>
    public string Where => _file is null ? $"Tensor '{Name}'" : $"{_file.Path}: tensor '{Name}'";

    /// <summary>Writes the elements.</summary>
    internal void WriteTo(Stream stream)
    {
        if (_write is null)
        {
            stream.Write(Bytes);
            return;
        }

        long start = stream.Position;
        _write(stream);
        if (stream.Position - start != ByteCount)
        {
            throw new InvalidDataException($"{Where}: {stream.Position - start} bytes were written, expected the {ByteCount} of its shape [{string.Join(", ", Shape)}].");
        }
    }

    internal static int SizeOf(SafetensorsType type) => type switch
    {
        SafetensorsType.U8 => 1,
        SafetensorsType.BF16 or SafetensorsType.F16 => 2,
        SafetensorsType.F32 or SafetensorsType.I32 => 4,
        SafetensorsType.F64 or SafetensorsType.I64 => 8,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not an element type of this library."),
    };

    private InvalidDataException WrongType(string expected) =>
        new($"{Where} holds {DType} elements, expected {expected}.");
}
