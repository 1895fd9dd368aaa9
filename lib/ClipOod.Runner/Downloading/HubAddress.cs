using System.Text.RegularExpressions;

namespace ClipOod.Runner.Downloading;

/// <summary>
/// The address of a file on the hub: <c>hf://[datasets/]owner/name@revision/path</c>. The hub's HTTP interface is read in
/// huggingface_hub's file_download.py, the layout of its cache in hub-docs' local-cache.md.
/// </summary>
/// <param name="Kind">"models" or "datasets".</param>
/// <param name="Repository">owner/name.</param>
/// <param name="Revision">A commit or a branch.</param>
/// <param name="Path">Path in the repository.</param>
internal sealed partial record HubAddress(string Kind, string Repository, string Revision, string Path)
{
    /// <summary>Reads an address; null where it is none of the hub.</summary>
    public static HubAddress? Parse(string address) => Form().Match(address) is { Success: true } match
        ? new HubAddress(match.Groups["kind"].Success ? "datasets" : "models", match.Groups["repository"].Value, match.Groups["revision"].Value, match.Groups["path"].Value)
        : null;

    /// <summary>Where the file is served.</summary>
    public Uri At(Uri endpoint) => new(
        $"{endpoint.AbsoluteUri.TrimEnd('/')}/{Prefix}{Repository}/resolve/{Uri.EscapeDataString(Revision)}/{string.Join('/', Path.Split('/').Select(Uri.EscapeDataString))}");

    /// <summary>The page of the repository.</summary>
    public string PageAt(Uri endpoint) => $"{endpoint.AbsoluteUri.TrimEnd('/')}/{Prefix}{Repository}";

    private string Prefix => Kind == "datasets" ? "datasets/" : "";

    [GeneratedRegex(@"^hf://(?<kind>datasets/)?(?<repository>[^/@]+/[^/@]+)@(?<revision>[^/]+)/(?<path>.+)$")]
    private static partial Regex Form();
}

/// <summary>The hub as this machine is set up for it: where it is, who asks, and what other programs have fetched before.</summary>
/// <param name="Endpoint">Its address.</param>
/// <param name="Token">Sent to the endpoint and to no other host; null where there is none.</param>
/// <param name="Cache">The folder of its cache, which need not exist.</param>
/// <param name="IsOffline">Whether the network is not to be used.</param>
internal sealed record Hub(Uri Endpoint, string? Token, string Cache, bool IsOffline = false)
{
    /// <summary>The environment variable of the endpoint.</summary>
    public const string EndpointVariable = "HF_ENDPOINT";

    /// <summary>The environment variable of the token.</summary>
    public const string TokenVariable = "HF_TOKEN";

    /// <summary>Reads the variables of huggingface_hub.</summary>
    /// <exception cref="DownloadException">The endpoint is no address.</exception>
    public static Hub FromEnvironment()
    {
        static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
        string text = Variable(EndpointVariable) ?? "https://huggingface.co";
        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? endpoint) || endpoint.Scheme is not ("https" or "http"))
        {
            throw new DownloadException($"{EndpointVariable} is '{text}', expected an address such as https://huggingface.co. Mend it, or unset it.");
        }

        string home = Variable("HF_HOME") ?? System.IO.Path.Combine(
            Variable("XDG_CACHE_HOME") ?? System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"), "huggingface");
        string tokenFile = Variable("HF_TOKEN_PATH") ?? System.IO.Path.Combine(home, "token");
        string? token = Variable(TokenVariable) ?? (File.Exists(tokenFile) ? File.ReadAllText(tokenFile) : null);
        return new Hub(
            endpoint,
            token?.Trim() is { Length: > 0 } trimmed ? trimmed : null,
            Variable("HF_HUB_CACHE") ?? Variable("HUGGINGFACE_HUB_CACHE") ?? System.IO.Path.Combine(home, "hub"),
            Variable("HF_HUB_OFFLINE") is string offline && offline.ToUpperInvariant() is "1" or "ON" or "YES" or "TRUE");
    }

    /// <summary>The token, where a request may carry it: to the endpoint itself, and not in the clear over a network.</summary>
    public string? TokenFor(Uri address) =>
        address.Scheme == Endpoint.Scheme && address.Authority == Endpoint.Authority && (address.Scheme == "https" || address.IsLoopback) ? Token : null;

    /// <summary>The file in the cache, where another program has fetched it; null where it is not there. It is not verified.</summary>
    /// <param name="address">The file.</param>
    /// <param name="sha256">Its SHA-256, which names large files in the cache; null where it is not known.</param>
    public string? FindInCache(HubAddress address, string? sha256)
    {
        string folder = System.IO.Path.Combine(Cache, $"{address.Kind}--{address.Repository.Replace("/", "--", StringComparison.Ordinal)}");
        if (sha256 is not null && System.IO.Path.Combine(folder, "blobs", sha256) is var blob && File.Exists(blob))
        {
            return blob;
        }

        string reference = System.IO.Path.Combine(folder, "refs", address.Revision);
        string commit = File.Exists(reference) ? File.ReadAllText(reference).Trim() : address.Revision;
        string file = System.IO.Path.Combine([folder, "snapshots", commit, .. address.Path.Split('/')]);
        return File.Exists(file) ? file : null;
    }
}
