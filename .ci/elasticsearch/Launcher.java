// SPDX-FileCopyrightText: 2026 The haidang authors
// SPDX-License-Identifier: Apache-2.0

package haidang;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.elasticsearch.Build;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.cluster.metadata.IndexNameExpressionResolver;
import org.elasticsearch.cluster.node.DiscoveryNodes;
import org.elasticsearch.common.io.stream.NamedWriteableRegistry;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.ClusterSettings;
import org.elasticsearch.common.settings.IndexScopedSettings;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.common.settings.SettingsFilter;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.env.Environment;
import org.elasticsearch.features.NodeFeature;
import org.elasticsearch.http.HttpServerTransport;
import org.elasticsearch.index.mapper.KeywordFieldMapper;
import org.elasticsearch.index.mapper.Mapper;
import org.elasticsearch.index.mapper.TextFieldMapper;
import org.elasticsearch.node.ClassPathNode;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.plugins.ActionPlugin;
import org.elasticsearch.plugins.MapperPlugin;
import org.elasticsearch.plugins.Plugin;
import org.elasticsearch.rest.BaseRestHandler;
import org.elasticsearch.rest.RestController;
import org.elasticsearch.rest.RestHandler;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.RestResponse;
import org.elasticsearch.rest.RestStatus;
import org.elasticsearch.xcontent.XContentBuilder;

/** Launcher DIR starts one node on a free port of 127.0.0.1 and prints its address. For tests only: it has no security. */
public class Launcher {
    public static void main(String[] args) {
        try {
            run(Paths.get(args[0]).toAbsolutePath());
        } catch (Throwable t) {
            t.printStackTrace();
            Runtime.getRuntime().halt(1);
        }
    }

    private static void run(Path home) throws Exception {
        for (String d : List.of("config", "data", "logs")) Files.createDirectories(home.resolve(d));
        LogConfigurator.configureWithoutConfig(Settings.builder().put("logger.level", "WARN").build());
        LogConfigurator.setNodeName("test");
        Settings settings = Settings.builder().put("path.home", home).put("path.data", home.resolve("data"))
            .put("path.logs", home.resolve("logs")).put("node.name", "test").put("cluster.name", "haidang-test")
            .put("http.host", "127.0.0.1").put("http.port", "0").put("transport.host", "127.0.0.1").put("transport.port", "0")
            .put("discovery.type", "single-node").put("cluster.routing.allocation.disk.threshold_enabled", false).build();
        List<Class<? extends Plugin>> plugins = new ArrayList<>();
        plugins.add(Class.forName("org.elasticsearch.transport.netty4.Netty4Plugin").asSubclass(Plugin.class));
        plugins.add(Missing.class);
        Environment env = InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), home.resolve("config"), () -> "test");
        ClassPathNode node = new ClassPathNode(env, plugins);
        CountDownLatch stopped = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                node.prepareForClose();
                node.close();
                node.awaitClose(30, TimeUnit.SECONDS);
            } catch (Throwable t) {
                t.printStackTrace();
            }
            stopped.countDown();
        }));
        node.start();
        node.client().admin().cluster().prepareHealth(TimeValue.timeValueSeconds(60)).setTimeout(TimeValue.timeValueSeconds(60))
            .setWaitForYellowStatus().setWaitForNoInitializingShards(true).get();
        int port = node.injector().getInstance(HttpServerTransport.class).boundAddress().publishAddress().getPort();
        System.out.println("ready http://127.0.0.1:" + port + " " + Build.current().version());
        System.out.flush();
        stopped.await();
    }

    /** Stands in for what the store uses of modules that are published nowhere as jars: GET /, two types of fields. */
    public static class Missing extends Plugin implements ActionPlugin, MapperPlugin {
        @Override
        public Collection<RestHandler> getRestHandlers(Settings settings, NamedWriteableRegistry nw, RestController rc,
                ClusterSettings cs, IndexScopedSettings is, SettingsFilter sf, IndexNameExpressionResolver resolver,
                Supplier<DiscoveryNodes> nodes, Predicate<NodeFeature> features) {
            return List.of(new BaseRestHandler() {
                @Override
                public String getName() {
                    return "root";
                }

                @Override
                public List<Route> routes() {
                    return List.of(new Route(RestRequest.Method.GET, "/"), new Route(RestRequest.Method.HEAD, "/"));
                }

                @Override
                protected RestChannelConsumer prepareRequest(RestRequest r, NodeClient c) {
                    return channel -> {
                        XContentBuilder b = channel.newBuilder();
                        b.startObject().startObject("version").field("number", Build.current().qualifiedVersion())
                            .field("build_flavor", Build.current().flavor()).endObject()
                            .field("tagline", "You Know, for Search").endObject();
                        channel.sendResponse(new RestResponse(RestStatus.OK, b));
                    };
                }
            });
        }

        @Override
        public Map<String, Mapper.TypeParser> getMappers() {
            return Map.of("wildcard", KeywordFieldMapper.PARSER, "match_only_text", TextFieldMapper.PARSER);
        }
    }
}
