/* SPDX-License-Identifier: BSD-3-Clause */
#include "fake_device.h"

#include <errno.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_pci.h>

static struct fake_device device; /* DPDK's functions have no other way to it */

RTE_DEFINE_PER_LCORE(unsigned int, _lcore_id) = LCORE_ID_ANY;
struct rte_eth_fp_ops rte_eth_fp_ops[RTE_MAX_ETHPORTS];
struct rte_mempool_ops_table rte_mempool_ops_table;

struct fake_device *fake_device(void)
{
	return &device;
}

static uint16_t rx_burst(void *queue, struct rte_mbuf **packets, uint16_t n)
{
	if (device.next == NULL || n == 0)
		return 0;
	packets[0] = device.next;
	device.next = NULL;
	return 1;
}

static uint16_t tx_burst(void *queue, struct rte_mbuf **packets, uint16_t n)
{
	device.tx_empty += n == 0;
	return RTE_MIN(n, device.takes);
}

static uint16_t tx_prepare(void *queue, struct rte_mbuf **packets, uint16_t n)
{
	return n > device.unprepared ? (uint16_t)device.unprepared : n;
}

void fake_device_reset(void)
{
	static void *queue[FAKE_QUEUES];

	device = (struct fake_device){
		.info = {.driver_name = "net_fake",
			 .max_rx_queues = FAKE_QUEUES,
			 .max_tx_queues = FAKE_QUEUES},
		.mac = {{0x02, 0xde, 0, 0, 0, 1}},
		.enable_error = -ENOTSUP,
		.wait_fd = -1,
		.unprepared = FAKE_ALL,
		.takes = UINT16_MAX,
	};
	rte_eth_fp_ops[0] = (struct rte_eth_fp_ops){
		.rx_pkt_burst = rx_burst,
		.tx_pkt_burst = tx_burst,
		.tx_pkt_prepare = tx_prepare,
		.rxq = {.data = queue, .clbk = queue},
		.txq = {.data = queue, .clbk = queue},
	};
}

enum gw_err fake_device_start(struct port_config *config, struct port **port,
			      struct port_info *info, char why[PORT_WHY_MAX])
{
	enum gw_err err;

	config->name = "access";
	if (config->device == NULL)
		config->device = "fake0,x=y";
	memcpy(config->own_mac, "\x02\x18\x00\x00\x00\x02", 6);
	for (uint32_t i = 0; i < sizeof(config->secret); i++)
		config->secret[i] = (uint8_t)(i * 37 + 11);
	*port = NULL;
	err = port_ethdev.open(config, port, why);
	return err == GW_OK ? port_ethdev.start(*port, info, why) : err;
}

/* ---- DPDK: finding and describing ----------------------------------------------------------- */

int rte_eth_dev_get_port_by_name(const char *name, uint16_t *port_id)
{
	*port_id = 0;
	return device.absent || strcmp(name, "fake0") != 0 ? -ENODEV : 0;
}

int rte_pci_addr_parse(const char *text, struct rte_pci_addr *address)
{
	return -EINVAL;
}

void rte_pci_device_name(const struct rte_pci_addr *address, char *name, size_t size)
{
}

int rte_eth_dev_owner_new(uint64_t *id)
{
	*id = 1;
	return 0;
}

int rte_eth_dev_owner_set(uint16_t port_id, const struct rte_eth_dev_owner *owner)
{
	return device.taken ? -EPERM : 0;
}

int rte_eth_dev_info_get(uint16_t port_id, struct rte_eth_dev_info *info)
{
	*info = device.info;
	return device.info_error;
}

int rte_eth_dev_socket_id(uint16_t port_id)
{
	return -1;
}

const char *rte_strerror(int error)
{
	return strerror(error);
}

void __rte_panic(const char *function, const char *format, ...)
{
	abort();
}

/* ---- DPDK: configuring ---------------------------------------------------------------------- */

int rte_eth_dev_configure(uint16_t port_id, uint16_t rx_queues, uint16_t tx_queues,
			  const struct rte_eth_conf *conf)
{
	const struct rte_eth_rss_conf *rss = &conf->rx_adv_conf.rss_conf;

	device.configures++;
	device.conf = *conf;
	device.rx_queues = rx_queues;
	device.tx_queues = tx_queues;
	if (device.mtu == 0)
		device.mtu = 1500;
	if (rss->rss_key != NULL && !device.key_is_fixed) {
		memcpy(device.key, rss->rss_key, rss->rss_key_len);
		device.hash_types = rss->rss_hf;
	}
	return conf->intr_conf.rxq && device.interrupts_refuse_configure ? -ENOTSUP
									 : device.configure_error;
}

int rte_eth_dev_set_mtu(uint16_t port_id, uint16_t mtu)
{
	if (device.mtu_error == 0)
		device.mtu = mtu;
	return device.mtu_error;
}

int rte_eth_dev_get_mtu(uint16_t port_id, uint16_t *mtu)
{
	*mtu = device.mtu;
	return 0;
}

int rte_eth_dev_adjust_nb_rx_tx_desc(uint16_t port_id, uint16_t *rx, uint16_t *tx)
{
	return 0;
}

struct rte_mempool *rte_pktmbuf_pool_create(const char *name, unsigned int n,
					    unsigned int cache_size, uint16_t priv_size,
					    uint16_t data_room_size, int socket_id)
{
	device.packets = n;
	device.room = data_room_size - RTE_PKTMBUF_HEADROOM;
	if (device.no_memory)
		return NULL;
	device.pools++;
	return (struct rte_mempool *)&device; /* never looked into */
}

void rte_mempool_free(struct rte_mempool *pool)
{
	device.pools -= pool != NULL;
}

int rte_eth_rx_queue_setup(uint16_t port_id, uint16_t queue, uint16_t descriptors,
			   unsigned int socket, const struct rte_eth_rxconf *conf,
			   struct rte_mempool *pool)
{
	device.rx_ring = descriptors;
	device.drop_en = conf->rx_drop_en == 1;
	return device.rx_queue_error;
}

int rte_eth_tx_queue_setup(uint16_t port_id, uint16_t queue, uint16_t descriptors,
			   unsigned int socket, const struct rte_eth_txconf *conf)
{
	return device.tx_queue_error;
}

int rte_eth_dev_start(uint16_t port_id)
{
	return device.conf.intr_conf.rxq && device.interrupts_refuse_start ? -EIO
									   : device.start_error;
}

int rte_eth_dev_stop(uint16_t port_id)
{
	device.stopped = true;
	return 0;
}

int rte_eth_dev_close(uint16_t port_id)
{
	device.closed = true;
	return 0;
}

/* ---- DPDK: addresses ------------------------------------------------------------------------ */

int rte_eth_macaddr_get(uint16_t port_id, struct rte_ether_addr *mac)
{
	*mac = device.mac;
	return 0;
}

int rte_eth_dev_default_mac_addr_set(uint16_t port_id, struct rte_ether_addr *mac)
{
	if (device.mac_error == 0)
		device.mac = *mac;
	return device.mac_error;
}

int rte_eth_promiscuous_enable(uint16_t port_id)
{
	device.promiscuous = device.promiscuous_error == 0;
	return device.promiscuous_error;
}

int rte_eth_allmulticast_enable(uint16_t port_id)
{
	device.allmulticast = device.allmulticast_error == 0;
	return device.allmulticast_error;
}

/* ---- DPDK: receive-side scaling ------------------------------------------------------------- */

int rte_eth_dev_rss_hash_update(uint16_t port_id, struct rte_eth_rss_conf *conf)
{
	if (device.key_only_at_configure)
		return -ENOTSUP;
	device.hash_types = conf->rss_hf;
	if (!device.key_is_fixed)
		memcpy(device.key, conf->rss_key, conf->rss_key_len);
	return 0;
}

int rte_eth_dev_rss_hash_conf_get(uint16_t port_id, struct rte_eth_rss_conf *conf)
{
	if (device.key_is_secret)
		return -ENOTSUP;
	conf->rss_hf = device.hash_types;
	memcpy(conf->rss_key, device.key, conf->rss_key_len);
	return 0;
}

int rte_eth_dev_rss_reta_update(uint16_t port_id, struct rte_eth_rss_reta_entry64 *table,
				uint16_t size)
{
	for (uint16_t i = 0; device.table_error == 0 && !device.table_is_fixed && i < size; i++)
		if (table[i / 64].mask >> i % 64 & 1)
			device.table[i] = table[i / 64].reta[i % 64];
	return device.table_error;
}

int rte_eth_dev_rss_reta_query(uint16_t port_id, struct rte_eth_rss_reta_entry64 *table,
			       uint16_t size)
{
	for (uint16_t i = 0; i < size; i++)
		table[i / 64].reta[i % 64] = device.table[i];
	return device.table_is_secret ? -ENOTSUP : 0;
}

/* ---- DPDK: rules ---------------------------------------------------------------------------- */

int rte_flow_validate(uint16_t port_id, const struct rte_flow_attr *attr,
		      const struct rte_flow_item pattern[], const struct rte_flow_action actions[],
		      struct rte_flow_error *error)
{
	return device.rules < device.rules_valid ? 0 : -ENOTSUP;
}

struct rte_flow *rte_flow_create(uint16_t port_id, const struct rte_flow_attr *attr,
				 const struct rte_flow_item pattern[],
				 const struct rte_flow_action actions[],
				 struct rte_flow_error *error)
{
	const struct rte_flow_action_queue *to = actions[0].conf;
	struct fake_rule *rule = &device.rule[device.rules];
	const rte_be16_t *spec = pattern[2].spec, *mask = pattern[2].mask;

	if (device.rules == device.rules_room)
		return NULL;
	device.rules++;
	device.rules_live++;
	*rule = (struct fake_rule){
		.ip = pattern[1].type,
		.l4 = pattern[2].type,
		.port = rte_be_to_cpu_16(
			spec[1]), /* the destination comes second in both headers */
		.port_mask = mask[1],
		.queue = to->index,
		.live = true,
	};
	return (struct rte_flow *)rule;
}

int rte_flow_destroy(uint16_t port_id, struct rte_flow *flow, struct rte_flow_error *error)
{
	struct fake_rule *rule = (struct fake_rule *)flow;

	device.rules_live -= rule->live;
	rule->live = false;
	return 0;
}

/* ---- DPDK: running -------------------------------------------------------------------------- */

int rte_eth_dev_rx_intr_enable(uint16_t port_id, uint16_t queue)
{
	device.enabled += device.enable_error == 0;
	return device.enable_error;
}

int rte_eth_dev_rx_intr_disable(uint16_t port_id, uint16_t queue)
{
	device.enabled--;
	return 0;
}

int rte_eth_dev_rx_intr_ctl_q_get_fd(uint16_t port_id, uint16_t queue)
{
	device.fds_asked++;
	return device.wait_fd;
}

int rte_eth_stats_get(uint16_t port_id, struct rte_eth_stats *stats)
{
	*stats = device.stats;
	return 0;
}

int rte_eth_link_get_nowait(uint16_t port_id, struct rte_eth_link *link)
{
	*link = (struct rte_eth_link){.link_status = RTE_ETH_LINK_UP,
				      .link_speed = RTE_ETH_SPEED_NUM_UNKNOWN};
	return device.absent ? -ENODEV : 0;
}

int __rte_pktmbuf_linearize(struct rte_mbuf *packet)
{
	return -1;
}

uint16_t rte_eth_call_rx_callbacks(uint16_t port_id, uint16_t queue_id, struct rte_mbuf **packets,
				   uint16_t n, uint16_t max, void *context)
{
	return n;
}

uint16_t rte_eth_call_tx_callbacks(uint16_t port_id, uint16_t queue_id, struct rte_mbuf **packets,
				   uint16_t n, void *context)
{
	return n;
}
