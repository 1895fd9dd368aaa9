using System.Collections.Concurrent;
using System.CommandLine;
using ClipOod.Notebook;
using ClipOod.Runner.Downloading;
using Spectre.Console;

namespace ClipOod.Runner.Commands;

/// <summary><c>clipood fetch</c>: brings weights, data sets and published features from their publishers, verified.</summary>
internal sealed class FetchCommand : Command
{
    private readonly Argument<string[]> _names = new("name")
    {
        Description = "What to fetch; clipood list shows all names",
        HelpName = "NAME",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<string> _from = new("--from")
    {
        Description = "A mirror or your own copy: a file, a folder with the files, or an address below which they lie",
        HelpName = "FILE|FOLDER|URL",
    };

    private readonly Option<bool> _acceptNew = new("--accept-new-hash")
    {
        Description = "Take a file also where its size or hash is not the published one; what came is recorded",
    };

    private readonly Option<int> _parallel = BoundedOption.Of(
        "--parallel", "N", "Files that are fetched at the same time", 4, count => count is >= 1 and <= 16, "1 to 16");

    public FetchCommand()
        : base("fetch", "Fetch weights, data sets or published features from their publishers; an interrupted download goes on where it was")
    {
        Arguments.Add(_names);
        foreach (Option option in new Option[] { _from, _acceptNew, _parallel })
        {
            Options.Add(option);
        }

        SetAction(FetchAsync);
    }

    private async Task<int> FetchAsync(ParseResult parse, CancellationToken cancellation)
    {
        IReadOnlyList<SourceEntry> entries = Sources.Named(parse.GetRequiredValue(_names));
        LocalCopy? from = LocalCopy.Of(parse.GetValue(_from));
        IAnsiConsole console = Terminal.On(parse.InvocationConfiguration.Output);
        TextWriter error = parse.InvocationConfiguration.Error;
        List<FileLock> locks = [];
        try
        {
            foreach (SourceEntry entry in entries.OrderBy(entry => entry.Name, StringComparer.Ordinal))
            {
                locks.Add(await FileLock.TakeAsync(entry.Folder + ".lock", () => console.WriteLine($"Another process fetches {entry.Name}; this one waits until it is done."), cancellation));
            }

            int code = await FetchAsync(entries, from, parse, console, error, cancellation);
            foreach (SourceEntry entry in entries.Where(entry => entry is { Kind: SourceKind.Features, IsHere: true }))
            {
                foreach (string line in PublishedFeatures.MakeWorld(entry))
                {
                    console.WriteLine(line);
                }
            }

            return code;
        }
        catch (OperationCanceledException)
        {
            await error.WriteLineAsync("Cancelled; what came is kept, and the same command goes on from there.");
            return ExitCodes.Cancelled;
        }
        catch (DownloadException e)
        {
            throw new CommandException(e.Message);
        }
        finally
        {
            locks.ForEach(taken => taken.Dispose());
        }
    }

    private async Task<int> FetchAsync(
        IReadOnlyList<SourceEntry> entries, LocalCopy? from, ParseResult parse, IAnsiConsole console, TextWriter error, CancellationToken cancellation)
    {
        var missing = new List<Wanted>();
        foreach (SourceEntry entry in entries)
        {
            Receipts.Tidy(entry.Folder);
            Receipts receipts = Receipts.Of(entry.Folder);
            foreach (SourceFile file in entry.Files)
            {
                PartialFile.Tidy(Sources.RequestFor(entry, file));
            }

            Wanted[] files = [.. entry.Files
                .Select(file => new Wanted(entry, file, receipts, Sources.RequestFor(entry, file, parse.GetValue(_acceptNew))))
                .Where(wanted => !wanted.IsSettled)];
            missing.AddRange(files);
            console.WriteLine(files.Length == 0
                ? $"{entry.Name} is here: {entry.Folder}"
                : $"{entry.Name}: {entry.Title}, {Sources.Size(entry)}. Licence: {entry.Licence.TrimEnd('.')}.");
        }

        RequireSpace(missing);
        using Downloader downloader = new(Hub.FromEnvironment(), "clipood/1");
        ConcurrentBag<(Wanted File, DownloadException Error)> failed = [];
        await new TransferDisplay(console).ShowAsync(progressOf => Parallel.ForEachAsync(
            missing,
            new ParallelOptions { MaxDegreeOfParallelism = parse.GetValue(_parallel), CancellationToken = cancellation },
            async (wanted, stop) =>
            {
                try
                {
                    wanted.Receipts.Add(wanted.File.Path, await FetchAsync(downloader, wanted, from, progressOf(wanted.Request.Name), stop));
                }
                catch (DownloadException e)
                {
                    failed.Add((wanted, e));
                }
            }));
        foreach (IGrouping<SourceEntry, Wanted> came in missing.Where(wanted => wanted.IsSettled).GroupBy(wanted => wanted.Entry))
        {
            FileReceipt[] receipts = [.. came.Select(wanted => wanted.Receipts[wanted.File.Path]!)];
            console.WriteLine($"{came.Key.Name}: {receipts.Length} {(receipts.Length == 1 ? "file" : "files")}, {Sources.Size(receipts.Sum(receipt => receipt.Bytes))}, of which {receipts.Count(receipt => receipt.IsAsExpected)} with their published hash.");
            foreach (Wanted wanted in came.Where(wanted => !wanted.Receipts[wanted.File.Path]!.IsAsExpected))
            {
                string sha256 = wanted.Receipts[wanted.File.Path]!.Sha256;
                console.WriteLine(wanted.Request.HasHash
                    ? $"  {wanted.File.Path} is NOT the published file, and was taken as asked for: SHA-256 {sha256}"
                    : $"  {wanted.File.Path} has no published hash; clipood verify will compare it with what came: SHA-256 {sha256}");
            }
        }

        Tell(error, [.. failed.OrderBy(failure => failure.File.Request.Name, StringComparer.Ordinal)]);
        foreach (SourceEntry entry in entries.Where(entry => entry.IsHere && missing.Any(wanted => wanted.Entry == entry)))
        {
            console.WriteLine($"{entry.Name} is here: {entry.Folder}");
        }

        return failed.All(failure => failure.File.File.Optional) ? ExitCodes.Passed : ExitCodes.Failed;
    }

    private static async Task<FileReceipt> FetchAsync(Downloader downloader, Wanted wanted, LocalCopy? from, FileProgress progress, CancellationToken cancellation)
    {
        (SourceEntry entry, SourceFile file, _, FileRequest request) = wanted;
        if (File.Exists(request.Path))
        {
            // Put there by hand, or by a process that ended before it could say so.
            (FileReceipt receipt, string? difference) = await Downloader.VerifyAsync(request, progress, cancellation);
            return difference is null || request.AcceptNew
                ? receipt
                : throw new DownloadException($"{request.Path} is not the published file: {difference}. Delete it and run the command again, or take it as it is with --accept-new-hash.");
        }

        if (from?.FileFor(entry, file) is string copy)
        {
            return await Downloader.CopyAsync(request, copy, progress, cancellation);
        }

        if (from?.AddressesFor(file) is { } mirror)
        {
            return await downloader.FetchAsync(request with { Addresses = mirror }, progress, cancellation);
        }

        return request.Addresses.Count > 0
            ? await downloader.FetchAsync(request, progress, cancellation)
            : throw new DownloadException($"{entry.Name} is got by hand. {entry.Manual} Then run: clipood fetch {entry.Name} --from FILE-OR-FOLDER");
    }

    private static void RequireSpace(IReadOnlyList<Wanted> missing)
    {
        long needed = missing.Sum(wanted => wanted.File.Bytes ?? 0) - missing.Sum(wanted => new FileInfo(PartialFile.PathOf(wanted.Request.Path)) is { Exists: true, Length: var part } ? part : 0);
        if (missing.Count > 0 && FreeSpace.At(LocalData.Root) is var free && needed > free)
        {
            throw new CommandException(
                $"{LocalData.Root} has {Sources.Size(free)} left, and {Sources.Size(needed)} are to come. Make room, or set {LocalData.FolderVariable} to a folder on another disk.");
        }
    }

    private static void Tell(TextWriter error, IReadOnlyList<(Wanted File, DownloadException Error)> failed)
    {
        foreach ((_, DownloadException failure) in failed.DistinctBy(failure => failure.Error.Message))
        {
            error.WriteLine(failure.Message);
        }

        if (failed.Where(failure => failure.Error.IsUnreachable).ToArray() is { Length: > 0 } unreachable)
        {
            error.WriteLine("Without a network, get these files on another machine, and put them into one folder:");
            foreach ((Wanted wanted, _) in unreachable)
            {
                string hash = wanted.File.Sha256 is string sha256 ? $", SHA-256 {sha256}" : wanted.File.Md5 is string md5 ? $", MD5 {md5}" : "";
                string? address = wanted.File.Address is string published ? HubAddress.Parse(published)?.At(Hub.FromEnvironment().Endpoint).AbsoluteUri ?? published : wanted.Entry.Manual;
                error.WriteLine($"  {wanted.File.Path}{(wanted.File.Bytes is long bytes ? $", {Sources.Size(bytes)}" : "")}{hash}: {address}");
            }

            error.WriteLine($"Then run: clipood fetch {string.Join(' ', unreachable.Select(failure => failure.File.Entry.Name).Distinct())} --from FOLDER");
        }

        foreach ((Wanted wanted, _) in failed.Where(failure => failure.File.File.Optional))
        {
            error.WriteLine($"{wanted.Entry.Name} is of use without {wanted.File.Path}.");
        }
    }

    /// <summary>A file that a fetch is to bring.</summary>
    private sealed record Wanted(SourceEntry Entry, SourceFile File, Receipts Receipts, FileRequest Request)
    {
        /// <summary>Whether it is here and was verified when it came.</summary>
        public bool IsSettled => Receipts[File.Path] is { } receipt && new FileInfo(Request.Path) is { Exists: true, Length: var length } && length == receipt.Bytes;
    }
}
