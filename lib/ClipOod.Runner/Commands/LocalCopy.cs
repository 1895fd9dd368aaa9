using ClipOod.Notebook;

namespace ClipOod.Runner.Commands;

/// <summary>What <c>--from</c> names: a file, a folder, or an address, in place of the published addresses.</summary>
internal sealed class LocalCopy
{
    private readonly string _from;
    private readonly bool _isAddress;

    private LocalCopy(string from, bool isAddress) => (_from, _isAddress) = (from, isAddress);

    /// <summary>Reads the option; null where it is not given.</summary>
    /// <exception cref="CommandException">It names nothing that is there.</exception>
    public static LocalCopy? Of(string? from)
    {
        if (from is null)
        {
            return null;
        }

        bool isAddress = Uri.TryCreate(from, UriKind.Absolute, out Uri? address) && address.Scheme is "http" or "https";
        return isAddress || File.Exists(from) || Directory.Exists(from)
            ? new LocalCopy(from, isAddress)
            : throw new CommandException($"--from {from}: there is no such file or folder, and it is no address (http://… or https://…).");
    }

    /// <summary>The copy of a file on this machine; null where it is not there.</summary>
    public string? FileFor(SourceEntry entry, SourceFile file)
    {
        string name = file.Path[(file.Path.LastIndexOf('/') + 1)..];
        return _isAddress ? null
            : File.Exists(_from) ? entry.Files.Count == 1 || Path.GetFileName(_from) == name ? _from : null
            : new[] { file.Path, $"{entry.Name}/{file.Path}", name }.Select(path => Path.Combine([_from, .. path.Split('/')])).FirstOrDefault(File.Exists);
    }

    /// <summary>Where a mirror has a file; null where this is none.</summary>
    public IReadOnlyList<string>? AddressesFor(SourceFile file)
    {
        string name = file.Path[(file.Path.LastIndexOf('/') + 1)..];
        string Below(string path) => $"{_from.TrimEnd('/')}/{string.Join('/', path.Split('/').Select(Uri.EscapeDataString))}";
        return !_isAddress ? null
            : new Uri(_from).AbsolutePath.EndsWith($"/{name}", StringComparison.Ordinal) ? [_from]
            : file.Path == name ? [Below(name)]
            : [Below(file.Path), Below(name)];
    }
}
