namespace ClipOod.Clip;

/// <summary>PBM, PGM and PPM files, as text or binary, of 8 or 16 bits: the first picture of a file. Source: the Netpbm specifications.</summary>
internal ref struct Netpbm
{
    private readonly ReadOnlySpan<byte> _file;
    private readonly string _name;
    private int _at;

    private Netpbm(ReadOnlySpan<byte> file, string name)
    {
        _file = file;
        _name = name;
        _at = 2;
    }

    /// <summary>Decodes a file; null where its first three bytes are of another format.</summary>
    /// <exception cref="InvalidDataException">It is truncated, corrupt or too large.</exception>
    public static RgbaPixels? TryDecode(ReadOnlySpan<byte> file, string name, int maxPixels) =>
        file.Length >= 3 && file[0] == 'P' && file[1] is >= (byte)'1' and <= (byte)'6' && IsBlank(file[2])
            ? new Netpbm(file, name).Decode(file[1] - '0', maxPixels)
            : null;

    private RgbaPixels Decode(int kind, int maxPixels)
    {
        bool isText = kind <= 3, isBits = kind is 1 or 4, isColor = kind is 3 or 6;
        (int width, int height) = (Number(), Number());
        int largest = isBits ? 1 : Number();
        if (width < 1 || height < 1 || largest is < 1 or > ushort.MaxValue)
        {
            throw Corrupt($"it says {width}x{height} pixels and values up to {largest}, expected sides of at least 1 and values up to 1 to 65535");
        }

        ImageDecoder.RequireFewPixels(_name, width, height, maxPixels);
        _at++; // One blank ends the header.
        RgbaPixels pixels = new(width, height);
        try
        {
            Span<byte> bytes = pixels.Bytes;
            for (int i = 0; i < width * height; i++)
            {
                for (int channel = 0; channel < 3; channel++)
                {
                    // High bytes of what is scaled to 65535; a bit of 1 is black.
                    bytes[4 * i + channel] = channel > 0 && !isColor ? bytes[4 * i]
                        : isBits ? (byte)(Bit(isText, i % width) - 1)
                        : (byte)(Math.Min(isText ? Number() : Binary(largest), largest) * (long)ushort.MaxValue / largest >> 8);
                }

                // Rows of bits begin with a byte of their own.
                _at += kind == 4 && (i % width == width - 1 || i % width % 8 == 7) ? 1 : 0;
                bytes[4 * i + 3] = byte.MaxValue;
            }

            return pixels;
        }
        catch
        {
            pixels.Dispose();
            throw;
        }
    }

    private int Bit(bool isText, int column)
    {
        if (!isText)
        {
            return _at < _file.Length ? (_file[_at] >> (7 - column % 8)) & 1 : throw Truncated();
        }

        SkipBlanks();
        return Next() switch
        {
            (byte)'0' => 0,
            (byte)'1' => 1,
            byte other => throw Corrupt($"byte {_at - 1} is {other}, expected the digit 0 or 1"),
        };
    }

    private int Binary(int largest) => largest <= byte.MaxValue ? Next() : (Next() << 8) | Next();

    private int Number()
    {
        SkipBlanks();
        int start = _at;
        long value = 0;
        while (_at < _file.Length && _file[_at] is >= (byte)'0' and <= (byte)'9' && value <= int.MaxValue)
        {
            value = 10 * value + _file[_at++] - '0';
        }

        return _at == _file.Length && _at == start ? throw Truncated()
            : _at == start || value > int.MaxValue ? throw Corrupt($"at byte {start} there is no number from 0 to {int.MaxValue}")
            : (int)value;
    }

    /// <summary>Blanks, and comments from # to the end of the line.</summary>
    private void SkipBlanks()
    {
        for (bool inComment = false; _at < _file.Length && (inComment || IsBlank(_file[_at])); _at++)
        {
            inComment = (inComment || _file[_at] == '#') && _file[_at] != '\n';
        }
    }

    private byte Next() => _at < _file.Length ? _file[_at++] : throw Truncated();

    private static bool IsBlank(byte value) => value is (byte)' ' or (byte)'#' or (>= 9 and <= 13);

    private InvalidDataException Truncated() => new($"'{_name}' is truncated: it says Netpbm, but ends before its pixels after {_file.Length} bytes. Fetch it again or remove it.");

    private InvalidDataException Corrupt(string what) => new($"'{_name}' is corrupt: it says Netpbm, but {what}. Fetch it again or remove it.");
}
