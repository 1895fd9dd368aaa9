namespace ClipOod.Runner.Commands;

/// <summary>A file that a command is asked to write, checked before the command begins its work.</summary>
internal static class OutputFile
{
    private static readonly StringComparer _paths = OperatingSystem.IsLinux() ? StringComparer.Ordinal : StringComparer.OrdinalIgnoreCase;

    /// <summary>Checks that files can be written: that each is no folder, lies in a folder that is there or can be made, and is no other one of them.</summary>
    /// <param name="targets">The option that names each file, and the file; null where the option is not given.</param>
    /// <param name="inputs">Files that are read, which none may replace.</param>
    /// <exception cref="CommandException">One cannot be written.</exception>
    public static void Require(IEnumerable<(string Option, string? Path)> targets, params IEnumerable<string> inputs)
    {
        Dictionary<string, string> taken = inputs.Select(Path.GetFullPath).Distinct(_paths).ToDictionary(path => path, _ => "the scores", _paths);
        foreach ((string option, string? path) in targets)
        {
            if (path is null)
            {
                continue;
            }

            RequireOne(option, path);
            if (!taken.TryAdd(Path.GetFullPath(path), option))
            {
                throw new CommandException($"{option} {path} is the file of {taken[Path.GetFullPath(path)]} too, which it would replace. Name another file.");
            }
        }
    }

    /// <summary>Writes a file that was asked for, whole or not at all, and says so.</summary>
    /// <param name="path">The file; null where it was not asked for.</param>
    /// <param name="text">Makes its text.</param>
    /// <param name="output">Where to say it.</param>
    public static void Write(string? path, Func<string> text, TextWriter output)
    {
        if (path is not null)
        {
            AtomicFile.Write(path, text());
            output.WriteLine($"Wrote {path}");
        }
    }

    private static void RequireOne(string option, string path)
    {
        if (path.Length == 0)
        {
            throw new CommandException($"{option} names no file. Name one.");
        }

        string full = Path.GetFullPath(path);
        if (Directory.Exists(full))
        {
            throw new CommandException($"{option} {path} is a folder, expected a file. Name a file in it.");
        }

        string? folder = Path.GetDirectoryName(full);
        while (folder is not null && !Directory.Exists(folder))
        {
            if (File.Exists(folder))
            {
                throw new CommandException($"{option} {path} cannot be written: {folder} is a file, expected a folder. Name another file.");
            }

            folder = Path.GetDirectoryName(folder);
        }

        try
        {
            // Only trying tells whether one may write here.
            File.Create(Path.Combine(folder ?? full, $".{Guid.NewGuid():N}.tmp"), 1, FileOptions.DeleteOnClose).Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"{option} {path} cannot be written: {e.Message} Name another file.");
        }
    }
}
