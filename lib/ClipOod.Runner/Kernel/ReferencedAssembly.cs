using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;

namespace ClipOod.Runner.Kernel;

/// <summary>What is known of assembly files without loading them.</summary>
internal static partial class ReferencedAssembly
{
    // What the program itself was built with: the runtime loads these and no file of the same name elsewhere.
    private static readonly Dictionary<string, string> _ownFiles =
        ((string?)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .GroupBy(path => Path.GetFileName(path), StringComparer.OrdinalIgnoreCase)
            .ToDictionary(group => group.Key, group => group.First(), StringComparer.OrdinalIgnoreCase);

    /// <summary>The file of the same name, but of another build, that the runtime would load in place of this one; null where there is none.</summary>
    /// <param name="path">The file.</param>
    public static string? LoadedInstead(string path) =>
        _ownFiles.TryGetValue(Path.GetFileName(path), out string? own) && BuildOf(own) != BuildOf(path) ? own : null;

    /// <summary>As <see cref="LoadedInstead"/>, but a newer version may take the place of an older one.</summary>
    /// <param name="path">The file.</param>
    public static string? OlderLoadedInstead(string path) =>
        LoadedInstead(path) is string own && AssemblyName.GetAssemblyName(own).Version < AssemblyName.GetAssemblyName(path).Version ? own : null;

    /// <summary>Whether a NuGet version names one version: no range, no <c>*</c>, at least two numbers.</summary>
    /// <param name="version">The version, such as <c>1.2.3</c> or <c>1.2.3-beta.4</c>.</param>
    public static bool IsExact(string version) => ExactVersion().IsMatch(version);

    private static Guid BuildOf(string path)
    {
        using var reader = new PEReader(File.OpenRead(path));
        if (!reader.HasMetadata)
        {
            throw new BadImageFormatException($"{path} is no .NET assembly. Reference a managed .dll.");
        }

        MetadataReader metadata = reader.GetMetadataReader();
        return metadata.GetGuid(metadata.GetModuleDefinition().Mvid);
    }

    [GeneratedRegex(@"^\d+(\.\d+){1,3}(-[0-9A-Za-z.-]+)?$")]
    private static partial Regex ExactVersion();
}
