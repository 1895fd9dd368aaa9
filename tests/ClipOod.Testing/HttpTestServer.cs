using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ClipOod.Testing;

/// <summary>A web server on the loopback address that answers as a test says: also wrongly, slowly, or with half of an answer.</summary>
public sealed class HttpTestServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<HttpTestRequest> _requests = new();
    private readonly Func<HttpTestRequest, HttpTestAnswer> _answer;

    /// <summary>Starts it.</summary>
    /// <param name="answer">Answers a request.</param>
    public HttpTestServer(Func<HttpTestRequest, HttpTestAnswer> answer)
    {
        _answer = answer;
        _listener.Start();
        _ = AcceptAsync();
    }

    /// <summary>Its address, without a slash at the end.</summary>
    public string Address => $"http://127.0.0.1:{Port}";

    /// <summary>The same server under another name: to a client, another host.</summary>
    public string OtherHost => $"http://localhost:{Port}";

    /// <summary>What was asked, in order.</summary>
    public IReadOnlyList<HttpTestRequest> Requests => [.. _requests];

    private int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Stops it.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token), _stop.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The end of the test.
        }
    }

    private async Task ServeAsync(TcpClient client, CancellationToken stop)
    {
        try
        {
            using (client)
            {
                await using NetworkStream stream = client.GetStream();
                if (await ReadAsync(stream, stop) is not HttpTestRequest request)
                {
                    return;
                }

                _requests.Enqueue(request);
                HttpTestAnswer answer = _answer(request);
                StringBuilder head = new(string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {answer.Status} {(HttpStatusCode)answer.Status}\r\nConnection: close\r\n"));
                if (!answer.Headers.ContainsKey("Transfer-Encoding"))
                {
                    head.Append(CultureInfo.InvariantCulture, $"Content-Length: {answer.Body.Length}\r\n");
                }

                foreach ((string name, string value) in answer.Headers)
                {
                    head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
                }

                await stream.WriteAsync(Encoding.Latin1.GetBytes(head.Append("\r\n").ToString()), stop);
                await stream.WriteAsync(answer.Body.AsMemory(0, Math.Min(answer.CutAfter ?? answer.Body.Length, answer.Body.Length)), stop);
                await Task.Delay(answer.Pause, stop);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The client went away, or the test ended.
        }
    }

    private static async Task<HttpTestRequest?> ReadAsync(Stream stream, CancellationToken stop)
    {
        StringBuilder text = new();
        byte[] one = new byte[1];
        while (!text.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one, stop) == 0)
            {
                return null;
            }

            text.Append((char)one[0]);
        }

        string[] lines = text.ToString().Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        string[] first = lines[0].Split(' ');
        return new HttpTestRequest(
            first[0],
            Uri.UnescapeDataString(first[1]),
            lines.Skip(1).Select(line => line.Split(": ", 2)).ToDictionary(pair => pair[0], pair => pair[^1], StringComparer.OrdinalIgnoreCase));
    }
}

/// <summary>What a client asked.</summary>
/// <param name="Method">Such as GET.</param>
/// <param name="Path">Path and query, unescaped.</param>
/// <param name="Headers">Its headers.</param>
public sealed record HttpTestRequest(string Method, string Path, IReadOnlyDictionary<string, string> Headers)
{
    /// <summary>A header; null where it was not sent.</summary>
    /// <param name="name">Its name.</param>
    public string? Header(string name) => Headers.GetValueOrDefault(name);
}

/// <summary>What a server answers.</summary>
/// <param name="Status">The code.</param>
/// <param name="Body">The body that is announced.</param>
public sealed record HttpTestAnswer(int Status, byte[] Body)
{
    /// <summary>Headers beside Content-Length.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    /// <summary>Bytes of the body after which the connection ends; null for all of it.</summary>
    public int? CutAfter { get; init; }

    /// <summary>How long the connection stays open when all that comes has come.</summary>
    public TimeSpan Pause { get; init; }

    /// <summary>A text.</summary>
    /// <param name="status">The code.</param>
    /// <param name="text">The body.</param>
    /// <param name="headers">Pairs of name and value.</param>
    public static HttpTestAnswer Text(int status, string text, params (string Name, string Value)[] headers) =>
        new(status, Encoding.UTF8.GetBytes(text)) { Headers = headers.ToDictionary(header => header.Name, header => header.Value) };

    /// <summary>A file, or the part of it that is asked for.</summary>
    /// <param name="request">The request, with or without a range.</param>
    /// <param name="bytes">The file.</param>
    /// <param name="tag">Names the version; null where the server names none.</param>
    public static HttpTestAnswer File(HttpTestRequest request, byte[] bytes, string? tag = "\"one\"")
    {
        Dictionary<string, string> headers = tag is null ? [] : new() { ["ETag"] = tag };
        if (request.Header("Range") is not string range || (request.Header("If-Range") is string version && version != tag))
        {
            return new HttpTestAnswer(200, bytes) { Headers = headers };
        }

        int from = int.Parse(range["bytes=".Length..].TrimEnd('-'), CultureInfo.InvariantCulture);
        if (from >= bytes.Length)
        {
            return new HttpTestAnswer(416, []) { Headers = headers };
        }

        headers["Content-Range"] = string.Create(CultureInfo.InvariantCulture, $"bytes {from}-{bytes.Length - 1}/{bytes.Length}");
        return new HttpTestAnswer(206, bytes[from..]) { Headers = headers };
    }

    /// <summary>A redirect.</summary>
    /// <param name="address">Where to.</param>
    /// <param name="headers">Further pairs of name and value.</param>
    public static HttpTestAnswer Redirect(string address, params (string Name, string Value)[] headers) => Text(302, "", [("Location", address), .. headers]);
}
