using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.RegularExpressions;

namespace ClipOod.Autodiff;

/// <summary>An array of floating-point numbers that numpy saved (<c>np.save</c>).</summary>
/// <param name="Shape">The length of each dimension.</param>
/// <param name="Values">The numbers, the last dimension running fastest.</param>
/// <remarks>Format: numpy.lib.format, versions 1 to 3. Nothing in a file is trusted; pickled objects are refused.</remarks>
internal sealed partial record NpyFile(IReadOnlyList<int> Shape, double[] Values)
{
    /// <summary>Reads a file.</summary>
    /// <param name="path">A .npy file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is no .npy file, is truncated, or holds something other than float16, float32 or float64.</exception>
    public static NpyFile Read(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        if (!bytes.AsSpan().StartsWith((ReadOnlySpan<byte>)[0x93, .. "NUMPY"u8]) || bytes.Length < 12 || bytes[6] is < 1 or > 3)
        {
            throw new InvalidDataException($"{path}: this is no .npy file, expected one that np.save wrote. Save it with np.save(path, array).");
        }

        int start = bytes[6] == 1 ? 10 : 12;
        long end = start + (bytes[6] == 1 ? BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(8)) : BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(8)));
        string header = end <= bytes.Length ? Encoding.UTF8.GetString(bytes.AsSpan(start, (int)end - start)) : "";
        Match descr = Descr().Match(header), order = Order().Match(header), shape = ShapeTuple().Match(header);
        if (!descr.Success || !order.Success || !shape.Success)
        {
            throw new InvalidDataException($"{path}: its header is broken: '{header.Trim()}', expected descr, fortran_order and shape. Save it again with np.save.");
        }

        string type = descr.Groups[1].Value.Trim('\'');
        int size = type is ['<' or '>', 'f', '2' or '4' or '8'] ? type[2] - '0' : throw new InvalidDataException(
            $"{path}: its numbers are of dtype {descr.Groups[1].Value.Trim()}, expected float16, float32 or float64. Save it with np.save(path, array.astype(np.float64)).");
        int[] dimensions = Dimensions(path, shape.Groups[1].Value);
        BigInteger count = dimensions.Aggregate(BigInteger.One, (product, dimension) => product * dimension);
        if (count * size != bytes.Length - end)
        {
            throw new InvalidDataException(
                $"{path}: got {bytes.Length - end} bytes of data, expected {count * size} for shape ({string.Join(", ", dimensions)}) of {type}. The file is truncated; save it again.");
        }

        double[] values = new double[(int)count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = Number(bytes.AsSpan((int)end + (i * size), size), littleEndian: type[0] == '<');
        }

        return new NpyFile(dimensions, order.Groups[1].Value == "True" ? RowsFirst(values, dimensions) : values);
    }

    private static int[] Dimensions(string path, string tuple) =>
    [
        .. tuple.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(text =>
            // Python 2 on Windows wrote 2L.
            int.TryParse(text.TrimEnd('L'), NumberStyles.None, CultureInfo.InvariantCulture, out int dimension) ? dimension : throw new InvalidDataException(
                $"{path}: its shape is ({tuple}), expected whole numbers up to {int.MaxValue}. Save a smaller array.")),
    ];

    private static double Number(ReadOnlySpan<byte> bytes, bool littleEndian) => (bytes.Length, littleEndian) switch
    {
        (2, true) => (double)BinaryPrimitives.ReadHalfLittleEndian(bytes),
        (2, false) => (double)BinaryPrimitives.ReadHalfBigEndian(bytes),
        (4, true) => BinaryPrimitives.ReadSingleLittleEndian(bytes),
        (4, false) => BinaryPrimitives.ReadSingleBigEndian(bytes),
        (_, true) => BinaryPrimitives.ReadDoubleLittleEndian(bytes),
        _ => BinaryPrimitives.ReadDoubleBigEndian(bytes),
    };

    // In Fortran's order the first dimension runs fastest.
    private static double[] RowsFirst(double[] values, int[] dimensions)
    {
        double[] ordered = new double[values.Length];
        int[] index = new int[dimensions.Length];
        for (int i = 0; i < values.Length; i++)
        {
            int rest = i, at = 0;
            for (int d = 0; d < dimensions.Length; d++)
            {
                (rest, index[d]) = Math.DivRem(rest, dimensions[d]);
            }

            for (int d = 0; d < dimensions.Length; d++)
            {
                at = (at * dimensions[d]) + index[d];
            }

            ordered[at] = values[i];
        }

        return ordered;
    }

    [GeneratedRegex(@"'descr':\s*('[^']*'|\[.*?\])")]
    private static partial Regex Descr();

    [GeneratedRegex(@"'fortran_order':\s*(True|False)")]
    private static partial Regex Order();

    [GeneratedRegex(@"'shape':\s*\(([^)]*)\)")]
    private static partial Regex ShapeTuple();
}
