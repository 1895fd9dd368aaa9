using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Runtime.InteropServices;

namespace ClipOod.Runner.Kernel;

/// <summary>What is known of assembly files without loading them.</summary>
internal static class ReferencedAssembly
{
    // What the program itself was built with: the runtime loads these and no file of the same name elsewhere.
    private static readonly Dictionary<string, string> OwnFiles =
        ((string?)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .GroupBy(path => Path.GetFileName(path), StringComparer.OrdinalIgnoreCase)
            .ToDictionary(group => group.Key, group => group.First(), StringComparer.OrdinalIgnoreCase);

    /// <summary>All of the framework, so that a <c>using</c> is enough for any of it, as in .NET Interactive.</summary>
    public static IReadOnlyList<string> Framework { get; } =
    [
        .. Directory.EnumerateFiles(RuntimeEnvironment.GetRuntimeDirectory(), "*.dll")
            .Where(path => Path.GetFileName(path) is var name
                && (name.StartsWith("System.", StringComparison.Ordinal) || name is "Microsoft.CSharp.dll" or "netstandard.dll" or "mscorlib.dll")
                && !name.EndsWith(".Native.dll", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>
    /// What an assembly needs and has beside it. Roslyn finds these by itself, but only for what the assembly's own
    /// signatures mention; a cell may also name their types.
    /// </summary>
    public static IReadOnlyCollection<string> NeededBeside(string path)
    {
        string folder = Path.GetDirectoryName(path)!;
        var framework = Framework.Select(file => Path.GetFileName(file)).ToHashSet(StringComparer.Ordinal);
        var found = new SortedSet<string>(StringComparer.Ordinal);
        var open = new Queue<string>([path]);
        while (open.TryDequeue(out string? file))
        {
            foreach (string name in Read(file, metadata => metadata.AssemblyReferences
                .Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name) + ".dll").ToArray()))
            {
                string beside = Path.Combine(folder, name);
                if (!framework.Contains(name) && File.Exists(beside) && found.Add(beside))
                {
                    open.Enqueue(beside);
                }
            }
        }

        return found;
    }

    /// <summary>The file of the same name, but of another build, that the runtime would load in place of this one; null where there is none.</summary>
    public static string? LoadedInstead(string path) =>
        OwnFiles.TryGetValue(Path.GetFileName(path), out string? own) && BuildOf(own) != BuildOf(path) ? own : null;

    private static Guid BuildOf(string path) => Read(path, metadata => metadata.GetGuid(metadata.GetModuleDefinition().Mvid));

    private static T Read<T>(string path, Func<MetadataReader, T> read)
    {
        using var reader = new PEReader(File.OpenRead(path));
        return reader.HasMetadata
            ? read(reader.GetMetadataReader())
            : throw new BadImageFormatException($"{path} is no .NET assembly. Reference a managed .dll.");
    }
}
