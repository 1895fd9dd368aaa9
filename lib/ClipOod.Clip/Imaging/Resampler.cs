using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ClipOod.Clip;

/// <summary>The kernel of a resize; both are stretched when shrinking, which is what prevents aliasing.</summary>
public enum ResizeFilter
{
    /// <summary>Keys' cubic with a = -0.5, two source pixels to either side: CLIP's own.</summary>
    Bicubic,

    /// <summary>The triangle, one source pixel to either side: what torchvision resizes with unless told otherwise (MCM's loader).</summary>
    Bilinear,
}

/// <summary>
/// Pillow's resize of 8-bit pixels, byte for byte: 22-bit integer weights, a horizontal pass rounded to bytes, then a vertical one.
/// Only what the crop needs is computed; each pixel depends on its own taps alone, so the crop's bytes are the same.
/// </summary>
internal static class Resampler
{
    private const int WeightBits = 22;
    private const int Half = 1 << (WeightBits - 1);

    /// <summary>The source pixels and weights of a run of output pixels along one axis; output i reads Counts[i] pixels from Starts[i].</summary>
    internal readonly record struct Taps(int[] Starts, int[] Counts, int[] Weights, int Stride)
    {
        public int First => Starts[0];

        public int End => Starts[^1] + Counts[^1];

        public ReadOnlySpan<int> WeightsOf(int i) => Weights.AsSpan(i * Stride, Counts[i]);
    }

    /// <summary>The taps of outputs <paramref name="first"/> to <paramref name="first"/> + <paramref name="count"/> when a side changes its length.</summary>
    internal static Taps Prepare(int inLength, long outLength, long first, int count, ResizeFilter filter)
    {
        double scale = (double)inLength / outLength;
        double stretch = Math.Max(scale, 1);
        double support = (filter == ResizeFilter.Bicubic ? 2 : 1) * stretch;
        double shrink = 1 / stretch;
        int stride = (int)Math.Ceiling(support) * 2 + 1;
        var taps = new Taps(new int[count], new int[count], new int[count * stride], stride);
        var weights = new double[stride];
        for (int i = 0; i < count; i++)
        {
            double center = (first + i + 0.5) * scale;
            int start = Math.Max(0, (int)(center - support + 0.5));
            int end = Math.Min(inLength, (int)(center + support + 0.5));
            double sum = 0;
            for (int j = 0; j < end - start; j++)
            {
                weights[j] = Kernel(filter, (j + start - center + 0.5) * shrink);
                sum += weights[j];
            }

            taps.Starts[i] = start;
            taps.Counts[i] = end - start;
            for (int j = 0; j < end - start; j++)
            {
                taps.Weights[i * stride + j] = (int)Math.Round(weights[j] / sum * (1 << WeightBits), MidpointRounding.AwayFromZero);
            }
        }

        return taps;
    }

    private static double Kernel(ResizeFilter filter, double x)
    {
        const double A = -0.5;
        x = Math.Abs(x);
        return filter switch
        {
            ResizeFilter.Bilinear => Math.Max(0, 1 - x),
            _ when x < 1 => (((A + 2) * x) - (A + 3)) * x * x + 1,
            _ when x < 2 => (((x - 5) * x + 8) * x - 4) * A,
            _ => 0,
        };
    }

    /// <summary>Resizes and crops into <paramref name="crop"/>: rows of the horizontal taps' outputs, 4 bytes a pixel, the fourth meaningless.</summary>
    /// <param name="pixels">Height × width × <paramref name="channels"/> bytes.</param>
    /// <param name="width">Width of the source.</param>
    /// <param name="channels">3 (RGB) or 4 (RGBA; the fourth is ignored).</param>
    /// <param name="horizontal">The taps of the crop's columns.</param>
    /// <param name="vertical">The taps of the crop's rows.</param>
    /// <param name="crop">Crop height × crop width × 4 bytes.</param>
    internal static void Run(ReadOnlySpan<byte> pixels, int width, int channels, Taps horizontal, Taps vertical, Span<byte> crop)
    {
        int rowBytes = 4 * horizontal.Starts.Length;
        // The vertical pass takes 8 bytes at a time, so rows are padded to a multiple of it.
        int pitch = 8 * ((rowBytes + 7) / 8);
        int rows = vertical.End - vertical.First;
        byte[] narrow = ArrayPool<byte>.Shared.Rent(rows * pitch);
        byte[] line = ArrayPool<byte>.Shared.Rent(pitch);
        Vector256<int>[] pair = ArrayPool<Vector256<int>>.Shared.Rent(horizontal.End - horizontal.First);
        try
        {
            for (int row = 0; row < rows; row += 2)
            {
                int second = Math.Min(row + 1, rows - 1);
                Expand(pixels, width, channels, horizontal, vertical.First + row, vertical.First + second, pair);
                Horizontal(pair, horizontal, narrow.AsSpan(row * pitch, rowBytes), narrow.AsSpan(second * pitch, rowBytes));
            }

            for (int y = 0; y < vertical.Starts.Length; y++)
            {
                Vertical(narrow.AsSpan((vertical.Starts[y] - vertical.First) * pitch), pitch, vertical.WeightsOf(y), line);
                line.AsSpan(0, rowBytes).CopyTo(crop[(y * rowBytes)..]);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(narrow);
            ArrayPool<byte>.Shared.Return(line);
            ArrayPool<Vector256<int>>.Shared.Return(pair);
        }
    }

    /// <summary>Widens the needed pixels of two rows to 32 bits: the first row's channels in the lower half of each vector, the second's in the upper.</summary>
    private static void Expand(ReadOnlySpan<byte> pixels, int width, int channels, Taps horizontal, int upper, int lower, Vector256<int>[] pair)
    {
        ReadOnlySpan<byte> a = pixels.Slice(upper * width * channels, width * channels);
        ReadOnlySpan<byte> b = pixels.Slice(lower * width * channels, width * channels);
        for (int j = horizontal.First; j < horizontal.End; j++)
        {
            int at = j * channels;
            pair[j - horizontal.First] = Widen(Pixel(a, at) | ((ulong)Pixel(b, at) << 32));
        }
    }

    /// <summary>Four bytes from here, the fourth whatever follows (0 at the end of the row).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Pixel(ReadOnlySpan<byte> row, int at) =>
        at + 4 <= row.Length
            ? MemoryMarshal.Read<uint>(row[at..])
            : row[at] | ((uint)row[at + 1] << 8) | ((uint)row[at + 2] << 16);

    private static void Horizontal(ReadOnlySpan<Vector256<int>> pair, Taps taps, Span<byte> upper, Span<byte> lower)
    {
        for (int i = 0; i < taps.Starts.Length; i++)
        {
            ReadOnlySpan<int> weights = taps.WeightsOf(i);
            ReadOnlySpan<Vector256<int>> source = pair.Slice(taps.Starts[i] - taps.First, weights.Length);
            Vector256<int> sum = Vector256.Create(Half);
            for (int j = 0; j < weights.Length; j++)
            {
                sum += source[j] * Vector256.Create(weights[j]);
            }

            ulong both = ToBytes(sum);
            MemoryMarshal.Write(upper[(4 * i)..], (uint)both);
            MemoryMarshal.Write(lower[(4 * i)..], (uint)(both >> 32));
        }
    }

    private static void Vertical(ReadOnlySpan<byte> rows, int pitch, ReadOnlySpan<int> weights, Span<byte> line)
    {
        for (int x = 0; x < pitch; x += 8)
        {
            Vector256<int> sum = Vector256.Create(Half);
            for (int j = 0; j < weights.Length; j++)
            {
                sum += Widen(MemoryMarshal.Read<ulong>(rows[(j * pitch + x)..])) * Vector256.Create(weights[j]);
            }

            MemoryMarshal.Write(line[x..], ToBytes(sum));
        }
    }

    /// <summary>Eight bytes as eight integers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Widen(ulong bytes)
    {
        Vector128<byte> packed = Vector128.CreateScalarUnsafe(bytes).AsByte();
        if (Avx2.IsSupported)
        {
            return Avx2.ConvertToVector256Int32(packed);
        }

        Vector128<ushort> words = Vector128.WidenLower(packed);
        return Vector256.Create(Vector128.WidenLower(words), Vector128.WidenUpper(words)).AsInt32();
    }

    /// <summary>Weighted sums to bytes: shifted, clamped to 0 and 255, packed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong ToBytes(Vector256<int> sums)
    {
        Vector256<int> values = Vector256.Min(Vector256.Max(sums >> WeightBits, Vector256<int>.Zero), Vector256.Create(255));
        Vector128<short> words = Vector128.Narrow(values.GetLower(), values.GetUpper());
        return Vector128.Narrow(words, words).AsUInt64().ToScalar();
    }
}
