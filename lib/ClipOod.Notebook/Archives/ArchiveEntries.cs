using System.Globalization;
using System.Text;

namespace ClipOod.Notebook;

/// <summary>
/// The files of an archive on their way into a folder: names that lead out of it, meet each other on some system or mean something to it are
/// refused, and so is more than the limits let out.
/// </summary>
/// <param name="folder">The folder; it exists and is empty.</param>
/// <param name="archiveLength">Bytes of the archive.</param>
/// <param name="limits">How much may come out.</param>
/// <param name="onWindows">Whether names have to be such as Windows takes.</param>
internal sealed class ArchiveEntries(string folder, long archiveLength, ArchiveLimits limits, bool onWindows)
{
    private const int MaxSegment = 255;
    private const int MaxPath = 2048;

    private static readonly string[] _windowsDevices = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", .. "0123456789".SelectMany(n => new[] { $"COM{n}", $"LPT{n}" })];

    private static readonly uint[] _crcTable =
        [.. Enumerable.Range(0, 256).Select(value => Enumerable.Range(0, 8).Aggregate((uint)value, (sum, _) => (sum & 1) == 0 ? sum >> 1 : (sum >> 1) ^ 0xEDB88320))];

    // Full names as spelled first; true for files.
    private readonly Dictionary<string, (string Spelled, bool IsFile)> _taken = new(StringComparer.OrdinalIgnoreCase);
    private readonly byte[] _buffer = new byte[1 << 17];
    private long _bytes;
    private int _entries;

    /// <summary>Number of files so far.</summary>
    public int Files { get; private set; }

    /// <summary>Makes a folder.</summary>
    /// <param name="name">Its name in the archive.</param>
    /// <exception cref="InvalidDataException">The name is refused, or there are too many.</exception>
    public void AddFolder(string name)
    {
        Count();
        if (Checked(name) is { Length: > 0 } path)
        {
            Take(path, isFile: false);
            Directory.CreateDirectory(Path.Combine(folder, path));
        }
    }

    /// <summary>Writes a file.</summary>
    /// <param name="name">Its name in the archive.</param>
    /// <param name="length">Its length as the archive states it.</param>
    /// <param name="content">Its bytes; null for an empty file.</param>
    /// <param name="crc">Its CRC-32; null where the archive states none, or its format checks it.</param>
    /// <param name="cancellation">Stops within the file.</param>
    /// <exception cref="InvalidDataException">The name is refused, the content has another length, or the limits are passed.</exception>
    public void AddFile(string name, long length, Stream? content, uint? crc, CancellationToken cancellation)
    {
        Count();
        string path = Checked(name);
        if (path.Length == 0)
        {
            throw new InvalidDataException($"has a file without a name, '{Shown(name)}'");
        }

        Take(path, isFile: true);
        RequireRoom(length);
        string file = Path.Combine(folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        using FileStream target = new(file, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        long written = 0;
        uint sum = uint.MaxValue;
        for (int read; content is not null && (read = content.Read(_buffer)) > 0; written += read)
        {
            cancellation.ThrowIfCancellationRequested();
            RequireRoom(read);
            _bytes += read;
            sum = crc is null ? 0 : Crc32(sum, _buffer.AsSpan(0, read));
            target.Write(_buffer, 0, read);
        }

        if ((length >= 0 && written != length) || (crc is uint expected && ~sum != expected))
        {
            throw new InvalidDataException(written == length
                ? $"has '{Shown(name)}' with another checksum than it states: it is corrupt"
                : string.Create(CultureInfo.InvariantCulture, $"has {written} bytes of '{Shown(name)}', expected {length}: it is truncated or corrupt"));
        }

        Files++;
    }

    /// <summary>The name as a path within the folder; empty for the folder itself.</summary>
    /// <exception cref="InvalidDataException">It leads elsewhere or is no name.</exception>
    internal string Checked(string name)
    {
        string path = name.Replace('\\', '/');
        string[] segments = [.. path.Split('/').Where(segment => segment is not ("" or "."))];
        string? reason =
            path.StartsWith('/') || (path.Length > 1 && path[1] == ':' && char.IsAsciiLetter(path[0])) ? "is absolute"
            : segments.Contains("..") ? "leads out of its folder"
            : path.Any(char.IsControl) ? "has control characters"
            : path.Length > MaxPath || segments.Any(segment => Encoding.UTF8.GetByteCount(segment) > MaxSegment) ? "is too long"
            : onWindows && segments.Any(IsRefusedByWindows) ? "is none that Windows takes"
            : null;
        return reason is null ? string.Join('/', segments) : throw new InvalidDataException($"has an entry '{Shown(name)}', whose name {reason}");
    }

    private static bool IsRefusedByWindows(string segment) =>
        segment.IndexOfAny(['<', '>', ':', '"', '|', '?', '*']) >= 0 || segment[^1] is '.' or ' '
        || _windowsDevices.Contains(segment.Split('.')[0].TrimEnd(), StringComparer.OrdinalIgnoreCase);

    /// <summary>Refuses what is there already under this name, in whatever case, and so for the folders above it.</summary>
    private void Take(string path, bool isFile)
    {
        for (int at = path.IndexOf('/', StringComparison.Ordinal); ; at = path.IndexOf('/', at + 1))
        {
            string part = at < 0 ? path : path[..at];
            (string Spelled, bool IsFile) own = (part, isFile && at < 0);
            if (!_taken.TryAdd(part, own) && (_taken[part] != own || own.IsFile))
            {
                throw new InvalidDataException($"has '{Shown(_taken[part].Spelled)}' and '{Shown(part)}', which would be one file or folder here or on another system");
            }

            if (at < 0)
            {
                return;
            }
        }
    }

    private void Count()
    {
        if (++_entries > limits.MaxEntries)
        {
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"has more than {limits.MaxEntries:N0} files and folders, the limit"));
        }
    }

    private void RequireRoom(long bytes)
    {
        if (bytes > limits.Most(archiveLength) - _bytes)
        {
            throw new InvalidDataException(string.Create(
                CultureInfo.InvariantCulture, $"would become more than {limits.Most(archiveLength):N0} bytes, the limit for an archive of {archiveLength:N0} bytes"));
        }
    }

    /// <summary>The checksum of zip files (ISO 3309) of bytes that follow others, before its last inversion.</summary>
    private static uint Crc32(uint sum, ReadOnlySpan<byte> bytes)
    {
        foreach (byte value in bytes)
        {
            sum = (sum >> 8) ^ _crcTable[(byte)(sum ^ value)];
        }

        return sum;
    }

    private static string Shown(string name) => string.Concat(name.Take(100).Select(c => char.IsControl(c) ? '?' : c)) + (name.Length > 100 ? "..." : "");
}
