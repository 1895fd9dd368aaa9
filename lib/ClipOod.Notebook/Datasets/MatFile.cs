using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.IO.MemoryMappedFiles;
using System.Text;

namespace ClipOod.Notebook;

/// <summary>A numeric array of a MATLAB file.</summary>
/// <param name="Dimensions">Its extents; the first runs fastest.</param>
/// <param name="Type">The type in which the numbers are stored, one of the MAT-file format's.</param>
/// <param name="Bytes">The numbers as they are stored, little-endian, column by column.</param>
internal sealed record MatArray(IReadOnlyList<int> Dimensions, int Type, byte[] Bytes)
{
    /// <summary>Bytes of a stored number; 0 for what is no number.</summary>
    public static int SizeOf(int type) => type switch { 1 or 2 => 1, 3 or 4 => 2, 5 or 6 or 7 => 4, 9 or 12 or 13 => 8, _ => 0 };

    /// <summary>The numbers.</summary>
    public double[] ToNumbers()
    {
        int size = SizeOf(Type);
        double[] numbers = new double[Bytes.Length / size];
        for (int i = 0; i < numbers.Length; i++)
        {
            ReadOnlySpan<byte> number = Bytes.AsSpan(i * size, size);
            numbers[i] = Type switch
            {
                1 => (sbyte)number[0],
                2 => number[0],
                3 => BinaryPrimitives.ReadInt16LittleEndian(number),
                4 => BinaryPrimitives.ReadUInt16LittleEndian(number),
                5 => BinaryPrimitives.ReadInt32LittleEndian(number),
                6 => BinaryPrimitives.ReadUInt32LittleEndian(number),
                7 => BinaryPrimitives.ReadSingleLittleEndian(number),
                9 => BinaryPrimitives.ReadDoubleLittleEndian(number),
                12 => BinaryPrimitives.ReadInt64LittleEndian(number),
                _ => BinaryPrimitives.ReadUInt64LittleEndian(number),
            };
        }

        return numbers;
    }

    /// <summary>For example "32 x 32 x 3 x 26032, type 2".</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{string.Join(" x ", Dimensions)}, type {Type}");
}

/// <summary>Reads numeric arrays of MATLAB files of level 5 (versions 5 to 7.2), little-endian, compressed or not.</summary>
/// <remarks>
/// Format: MathWorks, MAT-File Format (R2022a), chapter 1. Nothing in a file is trusted: sizes are checked against what is there, and an array
/// is never larger than its compressed bytes can hold.
/// </remarks>
internal static class MatFile
{
    private const int HeaderLength = 128;
    private const int TagLength = 8;
    private const int MaxRank = 32;
    private const int MaxName = 1024;

    // The most that deflate compresses.
    private const int MaxRatio = 1032;

    private const int TypeInt8 = 1;
    private const int TypeInt32 = 5;
    private const int TypeUInt32 = 6;
    private const int TypeMatrix = 14;
    private const int TypeCompressed = 15;

    /// <summary>Reads arrays by name; arrays of other names are passed over.</summary>
    /// <param name="path">A .mat file.</param>
    /// <param name="names">The arrays to read.</param>
    /// <returns>Those of them that the file has.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is truncated, no such file, or an array of these names holds no real numbers. The message names the file.</exception>
    public static IReadOnlyDictionary<string, MatArray> Read(string path, params string[] names)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"There is no file '{path}'.", path);
        }

        long length = new FileInfo(path).Length;
        Dictionary<string, MatArray> arrays = new(StringComparer.Ordinal);
        try
        {
            using FileStream file = File.OpenRead(path);
            ReadHeader(file, length);
            using MemoryMappedFile mapping = MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
            for (long at = HeaderLength; at < length;)
            {
                file.Position = at;
                (int type, uint size, _) = ReadTag(file);
                at += TagLength;
                if (size > length - at || type is not (TypeMatrix or TypeCompressed))
                {
                    throw Invalid(string.Create(CultureInfo.InvariantCulture, $"has an element of type {type} with {size} bytes at {at}, expected a matrix within its {length} bytes"));
                }

                if (size > 0)
                {
                    using MemoryMappedViewStream stored = mapping.CreateViewStream(at, size, MemoryMappedFileAccess.Read);
                    ReadElement(stored, type, size, names, arrays);
                }

                at += size;
            }

            return arrays;
        }
        catch (Exception error) when (error is InvalidDataException or EndOfStreamException)
        {
            throw new InvalidDataException($"{path}: {error.Message.TrimEnd('.')}. The file is truncated or no MATLAB file of level 5: fetch it again.", error);
        }
    }

    private static void ReadHeader(FileStream file, long length)
    {
        if (length < HeaderLength)
        {
            throw Invalid($"has {length} bytes, expected at least {HeaderLength}");
        }

        byte[] header = new byte[HeaderLength];
        file.ReadExactly(header);
        if (!header.AsSpan(126, 2).SequenceEqual("IM"u8) || BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(124)) != 0x0100)
        {
            string text = Encoding.Latin1.GetString(header, 0, 60).TrimEnd();
            throw Invalid(text.StartsWith("MATLAB 7.3", StringComparison.Ordinal)
                ? "is of MATLAB 7.3, which is HDF5: save it in MATLAB with -v7"
                : $"begins with {Convert.ToHexString(header.AsSpan(0, 8))}, expected the header of a MATLAB file of level 5, little-endian");
        }
    }

    private static void ReadElement(Stream stored, int type, uint size, string[] names, Dictionary<string, MatArray> arrays)
    {
        if (type == TypeMatrix)
        {
            ReadMatrix(stored, size, names, arrays);
            return;
        }

        using ZLibStream inflated = new(stored, CompressionMode.Decompress);
        (int inner, uint whole, _) = ReadTag(inflated);
        if (inner != TypeMatrix || whole > (long)size * MaxRatio)
        {
            throw Invalid($"has a compressed element of type {inner} with {whole} bytes out of {size}, expected a matrix");
        }

        ReadMatrix(inflated, whole, names, arrays);
    }

    private static void ReadMatrix(Stream stream, long size, string[] names, Dictionary<string, MatArray> arrays)
    {
        Part flags = ReadPart(stream, ref size, most: TagLength);
        if (flags.Type != TypeUInt32 || flags.Bytes.Length != TagLength)
        {
            throw Invalid("has a matrix without flags");
        }

        // Classes 6 to 15 are numbers; of a complex matrix (0x0800) the first half would be read.
        (byte kind, bool isComplex) = (flags.Bytes[0], (flags.Bytes[1] & 0x08) != 0);
        Part dimensions = ReadPart(stream, ref size, most: MaxRank * sizeof(int));
        Part nameBytes = ReadPart(stream, ref size, most: MaxName);
        if (dimensions.Type != TypeInt32 || dimensions.Bytes.Length < 2 * sizeof(int) || dimensions.Bytes.Length % sizeof(int) != 0 || nameBytes.Type != TypeInt8)
        {
            throw Invalid("has a matrix without dimensions or name");
        }

        string name = Encoding.ASCII.GetString(nameBytes.Bytes);
        if (!names.Contains(name))
        {
            return;
        }

        if (kind is < 6 or > 15 || isComplex)
        {
            throw Invalid($"has '{name}' of the MATLAB class {kind}{(isComplex ? ", complex" : "")}, expected real numbers");
        }

        int[] extents = [.. Enumerable.Range(0, dimensions.Bytes.Length / sizeof(int)).Select(i => BinaryPrimitives.ReadInt32LittleEndian(dimensions.Bytes.AsSpan(i * sizeof(int))))];
        Part values = ReadPart(stream, ref size, most: Array.MaxLength);
        Int128 expected = MatArray.SizeOf(values.Type);
        foreach (int extent in extents)
        {
            expected = extent >= 0 && expected >= 0 && expected <= long.MaxValue ? expected * extent : -1;
        }

        if (expected != values.Bytes.Length || MatArray.SizeOf(values.Type) == 0 || !arrays.TryAdd(name, new(extents, values.Type, values.Bytes)))
        {
            throw Invalid($"has {values.Bytes.Length} bytes of '{name}', expected those of {string.Join(" x ", extents)} numbers of type {values.Type}, once");
        }
    }

    /// <summary>A part of a matrix, padded to 8 bytes; parts of up to 4 bytes lie within their tag.</summary>
    private static Part ReadPart(Stream stream, ref long left, int most)
    {
        (int type, uint size, byte[]? small) = ReadTag(stream);
        long padded = small is null ? TagLength + ((size + 7L) & ~7L) : TagLength;
        if (size > most || padded > left)
        {
            throw Invalid(string.Create(CultureInfo.InvariantCulture, $"has a part of {size} bytes in a matrix, of which {left} are left, expected at most {most}"));
        }

        left -= padded;
        if (small is not null)
        {
            return new(type, small);
        }

        byte[] bytes = ReadBytes(stream, (int)size);
        stream.ReadExactly(new byte[padded - TagLength - size]);
        return new(type, bytes);
    }

    /// <summary>Bytes of a size that the file states. Room grows as they come, as the size may be wrong.</summary>
    private static byte[] ReadBytes(Stream stream, int size)
    {
        const int First = 1 << 24;
        byte[] bytes = new byte[Math.Min(size, First)];
        for (int done = 0; ; Array.Resize(ref bytes, (int)Math.Min(size, 2L * bytes.Length)))
        {
            stream.ReadExactly(bytes.AsSpan(done));
            done = bytes.Length;
            if (done == size)
            {
                return bytes;
            }
        }
    }

    private static (int Type, uint Size, byte[]? Small) ReadTag(Stream stream)
    {
        Span<byte> tag = stackalloc byte[TagLength];
        stream.ReadExactly(tag);
        uint type = BinaryPrimitives.ReadUInt32LittleEndian(tag);
        int smallSize = (int)(type >> 16);
        return smallSize == 0
            ? ((int)type, BinaryPrimitives.ReadUInt32LittleEndian(tag[4..]), null)
            : smallSize <= 4
                ? ((int)(type & 0xFFFF), (uint)smallSize, tag.Slice(4, smallSize).ToArray())
                : throw Invalid($"has a small element of {smallSize} bytes, expected at most 4");
    }

    private static InvalidDataException Invalid(string problem) => new(problem);

    private readonly record struct Part(int Type, byte[] Bytes);
}
