using System.CommandLine;
using ClipOod.Notebook;

namespace ClipOod.Runner.Commands;

/// <summary><c>clipood merge</c>: one feature set of the shards that <c>clipood encode --shard</c> made.</summary>
internal sealed class MergeCommand : Command
{
    private readonly Argument<string[]> _folders = new("FOLDER")
    {
        Description = "Folders that shards were encoded into, one or more",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<string> _output = new("--output", "-o")
    {
        Description = "Folder of the feature sets [default: the first folder]",
        HelpName = "FOLDER",
    };

    public MergeCommand()
        : base("merge", "Make one feature set of shards that were encoded apart, bit by bit that of one run")
    {
        Arguments.Add(_folders);
        Options.Add(_output);
        SetAction(Run);
    }

    private int Run(ParseResult parse)
    {
        TextWriter output = parse.InvocationConfiguration.Output;
        string[] folders = [.. parse.GetRequiredValue(_folders).Select(folder => Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))).Distinct()];
        string target = Path.GetFullPath(parse.GetValue(_output) ?? folders[0]);
        IGrouping<string, string>[] sets = [.. folders.SelectMany(PartsIn).GroupBy(part => Path.GetFileNameWithoutExtension(part)).OrderBy(set => set.Key, StringComparer.Ordinal)];
        foreach (IGrouping<string, string> set in sets)
        {
            EncodedChunks[] parts = [.. set.Select(EncodedChunks.Open)];
            EncodingPlan plan = parts[0].Plan;
            string path = Path.Combine(target, $"{set.Key}.safetensors");
            EncodedSets.RequireOneModel(target, plan.ModelSha256, plan.Precision, width: null);
            if (EncodedSets.Find(path, plan))
            {
                output.WriteLine($"{plan.Dataset} {plan.Split}: {path} is there already.");
                continue;
            }

            Directory.CreateDirectory(target);
            IReadOnlyList<FailedImage> failures = EncodedSets.Merge(parts, path, out IReadOnlyList<int> twice);
            if (twice.Count > 0)
            {
                output.WriteLine(FormattableString.Invariant($"{plan.Dataset} {plan.Split}: the shards overlap; {twice.Count} of {plan.Chunks} chunks are in several folders, equal in all, and were taken once."));
            }

            EncodeCommand.Report(failures, output);
            output.WriteLine(FormattableString.Invariant($"Wrote {path}: {plan.Images - failures.Count:N0} images. The parts are no longer needed: {string.Join(", ", set)}"));
        }

        return ExitCodes.Passed;
    }

    private static string[] PartsIn(string folder)
    {
        if (!Directory.Exists(folder))
        {
            throw new CommandException($"There is no folder {folder} to merge.");
        }

        string[] parts = folder.EndsWith(EncodedChunks.Ending, StringComparison.Ordinal)
            ? [folder]
            : [.. Directory.GetDirectories(folder, $"*{EncodedChunks.Ending}").Order(StringComparer.Ordinal)];
        return parts.Length > 0 ? parts : throw new CommandException($"{folder} holds no shards: expected folders that end in {EncodedChunks.Ending}, as clipood encode --shard makes them.");
    }
}
