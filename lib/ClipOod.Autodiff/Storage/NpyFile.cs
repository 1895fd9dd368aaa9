using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace ClipOod.Autodiff;

/// <summary>Reads the one array of a .npy file: NumPy's format, versions 1 to 3, of numbers that lie row by row, little-endian.</summary>
internal static partial class NpyFile
{
    private const int PrefixLength = 10;

    /// <summary>Reads the array into memory, under the name <see cref="TorchFile.SingleName"/>.</summary>
    /// <param name="path">A .npy file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is truncated, no such file, or holds Python objects, texts, or numbers column by column.</exception>
    public static SafetensorsTensor Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using MappedFile file = new(path);
        ReadOnlySpan<byte> bytes = file.Length <= Array.MaxLength ? file.Slice(0, (int)file.Length) : throw Invalid(path, $"has {file.Length} bytes, expected at most {Array.MaxLength}.");
        if (bytes.Length < PrefixLength + 2 || bytes[0] != 0x93 || !bytes[1..].StartsWith("NUMPY"u8) || bytes[6] is < 1 or > 3)
        {
            throw Invalid(path, "does not begin as a .npy file of version 1 to 3.");
        }

        int start = bytes[6] == 1 ? PrefixLength : PrefixLength + 2;
        long length = bytes[6] == 1 ? BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..]) : BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
        if (length > bytes.Length - start)
        {
            throw Invalid(path, $"says that its header has {length} bytes, beyond its end. The file is truncated: fetch or make it again.");
        }

        string header = Encoding.Latin1.GetString(bytes.Slice(start, (int)length));
        Match match = Header().Match(header);
        if (!match.Success)
        {
            throw Invalid(path, $"has the header {header.Trim()}, expected numbers of at most 8 bytes, little-endian, with fortran_order False. Save it with np.save(path, np.ascontiguousarray(array, np.float64)).");
        }

        int[] shape = [.. Numbers().Matches(match.Groups["shape"].Value).Select(n => int.TryParse(n.Value, NumberStyles.None, CultureInfo.InvariantCulture, out int extent) ? extent : -1)];
        SafetensorsType type = match.Groups["type"].Value switch
        {
            "<f2" => SafetensorsType.F16,
            "<f4" => SafetensorsType.F32,
            "<f8" => SafetensorsType.F64,
            "<i4" => SafetensorsType.I32,
            "<i8" => SafetensorsType.I64,
            "|u1" or "|b1" => SafetensorsType.U8,
            string other => throw Invalid(path, $"holds {other}, expected <f2, <f4, <f8, <i4, <i8, |u1 or |b1."),
        };
        ReadOnlySpan<byte> data = bytes[(start + (int)length)..];
        Int128 expected = SafetensorsTensor.SizeOf(type);
        foreach (int extent in shape)
        {
            expected = extent >= 0 && expected >= 0 && expected <= long.MaxValue ? expected * extent : -1;
        }

        return expected == data.Length
            ? SafetensorsTensor.FromRaw(TorchFile.SingleName, type, shape, data)
            : throw Invalid(path, $"holds {data.Length} bytes of data, expected those of the shape ({string.Join(", ", shape)}) in {type}. The file is truncated: fetch or make it again.");
    }

    [GeneratedRegex(@"^\{'descr': '(?<type>[^']+)', 'fortran_order': False, 'shape': \((?<shape>[0-9, ]*)\), \}\s*$", RegexOptions.NonBacktracking)]
    private static partial Regex Header();

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Numbers();

    private static InvalidDataException Invalid(string path, string problem) => new($"{path}: {problem}");
}
