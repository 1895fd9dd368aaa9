namespace ClipOod.Clip;

/// <summary>The one thing of a GIF file that Skia does not tell: the colour behind its transparent index (GIF89a specification).</summary>
internal static class GifPalette
{
    private const int HeaderLength = 13;

    /// <summary>
    /// The palette colour of the first frame's transparent index, or of index 0 where the frame declares none (then only the canvas
    /// around the frame is transparent); black where the file has no palette or its blocks are cut off.
    /// </summary>
    /// <param name="gif">The whole file, already known to decode.</param>
    public static (byte Red, byte Green, byte Blue) TransparentColor(ReadOnlySpan<byte> gif)
    {
        ReadOnlySpan<byte> palette = Table(gif, HeaderLength, gif[10]);
        int at = HeaderLength + palette.Length;
        int index = 0;
        while (at + 10 <= gif.Length)
        {
            if (gif[at] == 0x2C)
            {
                ReadOnlySpan<byte> local = Table(gif, at + 10, gif[at + 9]);
                palette = local.IsEmpty ? palette : local;
                break;
            }

            bool graphicControl = gif[at] == 0x21 && gif[at + 1] == 0xF9;
            if (graphicControl && (gif[at + 3] & 1) != 0)
            {
                index = gif[at + 6];
            }

            at += 2;
            while (at < gif.Length && gif[at] != 0)
            {
                at += gif[at] + 1;
            }

            at++;
        }

        return 3 * index + 2 < palette.Length ? (palette[3 * index], palette[3 * index + 1], palette[3 * index + 2]) : default;
    }

    /// <summary>The colour table that the packed field announces at this place, empty where it announces none.</summary>
    private static ReadOnlySpan<byte> Table(ReadOnlySpan<byte> gif, int start, byte packed)
    {
        int length = (packed & 0x80) == 0 ? 0 : 3 * (2 << (packed & 7));
        return start + length <= gif.Length ? gif.Slice(start, length) : default;
    }
}
